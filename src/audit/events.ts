import type { Db } from '../database/database.ts'
import { auditEvents } from '../database/schema/index.ts'

/** Where a change came from: a request, or a command of an operator. */
export interface Origin {
  ip?: string
  userAgent?: string | undefined
  requestId?: string
  /** The user who did it. */
  actorId?: number
}

export type AuditEventType =
  | 'user.registered'
  | 'user.imported'
  | 'user.updated'
  | 'user.logged_in'
  | 'user.login_failed'
  | 'user.logged_out'
  | 'user.password_changed'
  | 'user.roles_changed'
  | 'session.revoked'
  | 'session.reuse_detected'

export interface AuditEvent {
  type: AuditEventType
  userId?: number | undefined
  details?: Record<string, unknown>
}

/** Records an event in the transaction that makes it true, so that neither is there without the other. */
export async function recordEvent(db: Db, origin: Origin, event: AuditEvent): Promise<void> {
  await db.insert(auditEvents).values({
    type: event.type,
    actorId: origin.actorId,
    userId: event.userId,
    ip: origin.ip,
    userAgent: origin.userAgent?.slice(0, 512),
    requestId: origin.requestId,
    details: event.details ?? {}
  })
}
