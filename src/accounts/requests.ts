import { and, eq, gt, type SQL, sql } from 'drizzle-orm'
import { type AuditEvent, eventRow } from '../repositories/audit-events.ts'
import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import { accountTokens, auditEvents, outbox, users } from '../database/schema/index.ts'
import { causeOf, deleteMail, insertMail, noteOf, type OutboxRow, type RequestNote } from '../mail/outbox.ts'
import type { MailCause } from '../throttling/mail-budgets.ts'
import type { Language } from '../language.ts'
import { keyOf } from '../names.ts'
import type { UserRow } from '../repositories/users.ts'
import { findHolders } from '../repositories/user-names.ts'
import { deletePendingLinks, mailLink, noticeAt } from './links.ts'

// Seconds. Attempts to log in, unlike requests for a link, are made by the dozen.
const pauseBetweenReminders = 5 * 60

/**
 * Records an event and puts a request into the outbox, in one statement: a single round trip and commit.
 * For what must take the same time whatever comes of it.
 */
export async function recordEventWithMail(db: Db, origin: Origin, event: AuditEvent, note: RequestNote): Promise<void> {
  const written = db.$with('written').as(db.insert(outbox).values(noteOf(note, origin)).returning({ id: outbox.id }))
  await db.with(written).insert(auditEvents).values(eventRow(origin, event))
}

/**
 * Notes that a link for a new password was asked for. Nothing here depends on whether the address is known, and so
 * neither does the time that it takes (CWE-208): that is found out when the note is taken from the outbox.
 */
export async function requestPasswordReset(db: Db, email: string, origin: Origin): Promise<void> {
  const userId = sql`(select ${users.id} from ${users} where ${users.emailKey} = ${keyOf(email)})`
  await recordEventWithMail(
    db,
    origin,
    { type: 'user.password_reset_requested', userId },
    { recipient: email, template: 'password_reset_request', language: origin.language ?? 'en' }
  )
}

/** Notes that a link past a lock-out was asked for, as for a new password. */
export async function requestUnlock(db: Db, email: string, origin: Origin): Promise<void> {
  const userId = sql`(select ${users.id} from ${users} where ${users.emailKey} = ${keyOf(email)})`
  await recordEventWithMail(
    db,
    origin,
    { type: 'user.unlock_requested', userId },
    { recipient: email, template: 'unlock_request', language: origin.language ?? 'en' }
  )
}

/**
 * Notes that a user needs a link to verify their address.
 * @param email which of the two: the present one, or the one that waits
 */
export const verificationRequest = (
  { id, email: present }: UserRow,
  { language = 'en' }: Origin,
  email = present
): RequestNote => ({
  userId: id,
  recipient: email,
  template: 'email_verification_request',
  language
})

/** Notes that somebody has tried to register with the address of a user, or with one to which they may return. */
export const attemptRequest = ({ id }: UserRow, { language = 'en' }: Origin, email: string): RequestNote => ({
  userId: id,
  recipient: email,
  template: 'registration_attempt_request',
  language
})

/** Asks for nothing, where whether something is asked for must not be told by the time that it takes (CWE-208). */
export const noRequest = ({ language = 'en' }: Origin): RequestNote => ({
  recipient: '',
  template: 'email_verification_request',
  language
})

/**
 * Answers a request from the outbox, once, whichever instance takes it: by a mail, or not at all.
 * @param isLimited whether what it causes counts against the budgets of mails
 */
export async function answerRequest(db: Db, row: OutboxRow, isLimited: boolean): Promise<void> {
  const { id, template, recipient, userId } = row
  const language = row.language as Language
  const cause = causeOf(row, isLimited)
  await db.transaction(async (tx) => {
    if (!(await deleteMail(tx, id))) return
    if (template === 'password_reset_request') {
      const user = await lockUser(tx, eq(users.emailKey, keyOf(recipient)))
      if (user === undefined) return
      // Who was invited has no password to replace.
      await mailLink(tx, user, user.passwordHash === null ? 'invitation' : 'password_reset', language, cause)
      return
    }
    if (template === 'unlock_request') {
      const user = await lockUser(tx, eq(users.emailKey, keyOf(recipient)))
      if (user === undefined || user.passwordHash === null) return
      await mailLink(tx, user, 'unlock', language, cause)
      return
    }
    const user = userId === null ? undefined : await lockUser(tx, eq(users.id, userId))
    if (user === undefined) return
    if (template === 'registration_attempt_request') {
      await insertMail(tx, noticeAt(recipient, user, 'registration_attempt', language), cause)
      return
    }
    const key = keyOf(recipient)
    if (key === user.pendingEmailKey) {
      await mailPendingVerification(tx, user, recipient, language, cause)
    } else if (key === user.emailKey && !user.emailVerified && !(await wasRemindedLately(tx, user))) {
      await mailLink(tx, user, 'email_verification', language, cause)
    }
  })
}

/** Mails the link that confirms a pending address, or tells the user who has that address that somebody wants it. */
async function mailPendingVerification(
  tx: Db,
  user: UserRow,
  email: string,
  language: Language,
  cause: MailCause
): Promise<void> {
  const emailKey = keyOf(email)
  const holder = (await findHolders(tx, { ...user, emailKey })).find(({ id }) => id !== user.id)
  if (holder === undefined) {
    await mailLink(tx, { ...user, email, emailKey }, 'email_verification', language, cause)
    return
  }
  // Whether a link from before works must not tell that the address was taken since.
  await deletePendingLinks(tx, user)
  if (!holder.isDisabled) await insertMail(tx, noticeAt(email, holder, 'email_change_attempt', language), cause)
}

/** A user who may log in, for one request at a time: the next sees what came of this one. */
async function lockUser(tx: Db, which: SQL): Promise<UserRow | undefined> {
  const [row] = await tx
    .select()
    .from(users)
    .where(and(which, eq(users.isDisabled, false)))
    .for('no key update')
  return row
}

async function wasRemindedLately(tx: Db, { id, emailKey }: UserRow): Promise<boolean> {
  const rows = await tx
    .select({ id: accountTokens.id })
    .from(accountTokens)
    .where(
      and(
        eq(accountTokens.userId, id),
        eq(accountTokens.purpose, 'email_verification'),
        eq(accountTokens.emailKey, emailKey),
        gt(accountTokens.createdAt, sql`now() - make_interval(secs => ${pauseBetweenReminders})`)
      )
    )
  return rows.length > 0
}
