import type { SQL } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { auditEvents } from '../database/schema/index.ts'
import type { Origin } from '../origin.ts'

/** Every event there is: what can be recorded, and so what can be asked for. */
export const auditEventTypes = [
  'user.registered',
  'user.imported',
  'user.updated',
  'user.logged_in',
  'user.login_failed',
  'user.locked_out',
  'user.unlock_requested',
  'user.unlocked',
  'user.logged_out',
  'user.reauthenticated',
  'user.password_changed',
  'user.password_reset_requested',
  'user.password_reset',
  'user.email_verification_requested',
  'user.email_verified',
  'user.registration_refused',
  'user.invitation_accepted',
  'user.roles_changed',
  'user.username_changed',
  'user.email_changed',
  'user.email_change_requested',
  'user.email_change_dropped',
  'user.email_change_undone',
  'user.disowned',
  'user.disabled',
  'user.enabled',
  'user.invited',
  'user.deleted',
  'user.expired',
  'session.revoked',
  'session.bulk_revoked',
  'session.reuse_detected',
  'client.created',
  'client.updated',
  'client.roles_changed',
  'client.disabled',
  'client.enabled',
  'client.deleted',
  'client.secret_created',
  'client.secret_ended',
  'client.token_revoked',
  'client.login_failed',
  'access.denied',
  'mail.refused',
  'mail.withheld',
  'key.activated',
  'key.retired'
] as const

export type AuditEventType = (typeof auditEventTypes)[number]

export interface AuditEvent {
  type: AuditEventType
  /** A query where the statement that records finds out whose it is. */
  userId?: number | SQL | undefined
  details?: Record<string, unknown>
}

/** Records an event in the transaction that makes it true, so that neither is there without the other. */
export async function recordEvent(db: Db, origin: Origin, event: AuditEvent): Promise<void> {
  await db.insert(auditEvents).values(eventRow(origin, event))
}

/** For statements that record an event beside what else they do. */
export const eventRow = (origin: Origin, event: AuditEvent) => ({
  type: event.type,
  actorId: origin.actorId,
  actorClientId: origin.actorClientId,
  userId: event.userId,
  ip: origin.ip,
  userAgent: origin.userAgent?.slice(0, 512),
  requestId: origin.requestId,
  details: event.details ?? {}
})
