import type { Db } from '../database/database.ts'
import type { JobHandler } from '../jobs/worker.ts'
import type { Language } from '../language.ts'
import { toKey } from '../names.ts'
import type { Origin } from '../origin.ts'
import type { AuditEvent } from '../repositories/audit-events.ts'
import { deletePendingLinks, hasRecentVerificationLink } from '../repositories/email-links.ts'
import { type Job, type NewJob, recordEventWithJob } from '../repositories/jobs.ts'
import { lockActiveUser } from '../repositories/user-locks.ts'
import { findHolders } from '../repositories/user-names.ts'
import { userIdByEmail, type UserRow } from '../repositories/users.ts'
import type { MailCause } from '../throttling/mail-budgets.ts'
import { mailLink, mailNoticeTo } from './links.ts'

/**
 * What is asked for by mail, each the kind of a job. The request itself only adds the job, whether a mail will come of it
 * or not, so that its time tells nothing (CWE-208); the job finds out.
 */
export const requestKinds = [
  'password_reset_request',
  'unlock_request',
  'email_verification_request',
  'registration_attempt_request'
] as const

export type RequestKind = (typeof requestKinds)[number]

/** Requests need the database alone, and mails come of them: they go before every mail. */
const priority = -1

interface RequestPayload {
  recipient: string
  language: Language
  ip?: string | undefined
  actor_id?: string | undefined
  actor_client_id?: string | undefined
}

/** A job that asks for a mail to `recipient`. Without a recipient it asks for nothing, and takes as long to add (CWE-208). */
export function createRequest(kind: RequestKind, recipient: string, origin: Origin, userId?: number): NewJob {
  const { language = 'en', ip, actorId, actorClientId } = origin
  const actor = { actor_id: actorId === undefined ? undefined : String(actorId), actor_client_id: actorClientId }
  const payload: RequestPayload = { recipient, language, ip, ...actor }
  return { kind, payload: { ...payload }, userId, priority }
}

/** A link to verify an address of the user's: the present one, or the pending one. */
export const verificationRequest = (user: UserRow, origin: Origin, email = user.email): NewJob =>
  createRequest('email_verification_request', email, origin, user.id)

/** Asks for a link by an address alone, and records it for the user who has the address, if there is one. */
export const requestByEmail = (
  db: Db,
  kind: RequestKind,
  type: AuditEvent['type'],
  email: string,
  origin: Origin
): Promise<void> =>
  recordEventWithJob(db, origin, { type, userId: userIdByEmail(email) }, createRequest(kind, email, origin))

/** @param isLimited whether mails count against their budgets */
export const requestHandler = (kind: RequestKind, isLimited: boolean): JobHandler => ({
  priorities: [priority],
  lease: 5,
  async transact(tx, job) {
    await answers[kind](tx, readRequest(job, isLimited))
  }
})

interface Request {
  userId: number | null
  recipient: string
  language: Language
  cause: MailCause
}

function readRequest({ userId, payload }: Job, isLimited: boolean): Request {
  const { recipient, language, ip, actor_id: actor, actor_client_id: client } = payload as unknown as RequestPayload
  const actorId = actor === undefined ? undefined : Number(actor)
  return { userId, recipient, language, cause: { isLimited, ip, actorId, actorClientId: client } }
}

const answers: Record<RequestKind, (tx: Db, request: Request) => Promise<void>> = {
  async password_reset_request(tx, { recipient, language, cause }) {
    const user = await lockActiveUser(tx, { emailKey: toKey(recipient) })
    // An invited user has no password to replace.
    if (user) await mailLink(tx, user, user.passwordHash === null ? 'invitation' : 'password_reset', language, cause)
  },

  async unlock_request(tx, { recipient, language, cause }) {
    const user = await lockActiveUser(tx, { emailKey: toKey(recipient) })
    if (user && user.passwordHash !== null) await mailLink(tx, user, 'unlock', language, cause)
  },

  async email_verification_request(tx, { userId, recipient, language, cause }) {
    const user = userId === null ? undefined : await lockActiveUser(tx, { id: userId })
    if (user === undefined) return
    const key = toKey(recipient)
    if (key === user.pendingEmailKey) {
      await verifyPending(tx, user, recipient, language, cause)
    } else if (key === user.emailKey && !user.emailVerified) {
      const isRecent = await hasRecentVerificationLink(tx, user, reminderInterval)
      if (!isRecent) await mailLink(tx, user, 'email_verification', language, cause)
    }
  },

  async registration_attempt_request(tx, { userId, recipient, language, cause }) {
    const user = userId === null ? undefined : await lockActiveUser(tx, { id: userId })
    if (user) await mailNoticeTo(tx, recipient, user, 'registration_attempt', language, cause)
  }
}

// Seconds. Attempts to log in, unlike requests for a link, are made by the dozen.
const reminderInterval = 5 * 60

/** Mails the link that verifies a pending address, or tells the user who has that address that somebody wants it. */
async function verifyPending(
  tx: Db,
  user: UserRow,
  email: string,
  language: Language,
  cause: MailCause
): Promise<void> {
  const emailKey = toKey(email)
  const holder = (await findHolders(tx, { ...user, emailKey })).find(({ id }) => id !== user.id)
  if (holder === undefined) {
    await mailLink(tx, { ...user, email, emailKey }, 'email_verification', language, cause)
    return
  }
  // Whether an earlier link works must not tell that the address was taken since.
  await deletePendingLinks(tx, user)
  if (!holder.isDisabled) await mailNoticeTo(tx, email, holder, 'email_change_attempt', language, cause)
}
