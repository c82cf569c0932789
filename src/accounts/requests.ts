import { and, eq, gt, notExists, sql } from 'drizzle-orm'
import { type AuditEvent, eventRow, type Origin } from '../audit/events.ts'
import type { Db } from '../database/database.ts'
import { accountTokens, auditEvents, outbox, users } from '../database/schema/index.ts'
import { deleteMail, type OutboxRow } from '../mail/outbox.ts'
import type { Language } from '../mail/language.ts'
import { keyOf } from '../users/names.ts'
import type { UserRow } from '../users/queries.ts'
import { mailLink } from './links.ts'

// Seconds. Attempts to log in, unlike requests for a link, are made by the dozen.
const pauseBetweenReminders = 5 * 60

/**
 * Records an event and puts something into the outbox, in one statement: a single round trip and commit.
 * For what must take the same time whatever comes of it.
 */
export async function recordEventWithMail(
  db: Db,
  origin: Origin,
  event: AuditEvent,
  mail: typeof outbox.$inferInsert
): Promise<void> {
  const written = db.$with('written').as(db.insert(outbox).values(mail).returning({ id: outbox.id }))
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

/** Notes that a user needs a link to verify their address. */
export const verificationRequest = ({ id, email }: UserRow, { language = 'en' }: Origin) => ({
  userId: id,
  recipient: email,
  template: 'email_verification_request',
  language
})

/** Answers a request from the outbox, once, whichever instance takes it: by a mail, or not at all. */
export async function answerRequest(db: Db, { id, template, recipient, userId, language }: OutboxRow): Promise<void> {
  await db.transaction(async (tx) => {
    if (!(await deleteMail(tx, id))) return
    if (template === 'password_reset_request') {
      const user = await findEnabledUserByEmail(tx, recipient)
      if (user === undefined) return
      // Who was invited has no password to replace.
      await mailLink(tx, user, user.passwordHash === null ? 'invitation' : 'password_reset', language as Language)
    } else if (userId !== null) {
      const user = await findUserToRemind(tx, userId)
      if (user !== undefined) await mailLink(tx, user, 'email_verification', language as Language)
    }
  })
}

async function findEnabledUserByEmail(db: Db, email: string): Promise<UserRow | undefined> {
  const [row] = await db
    .select()
    .from(users)
    .where(and(eq(users.emailKey, keyOf(email)), eq(users.isDisabled, false)))
  return row
}

/** The user, if they have yet to verify their address and were mailed no link lately. */
async function findUserToRemind(db: Db, userId: number): Promise<UserRow | undefined> {
  const lately = db
    .select({ id: accountTokens.id })
    .from(accountTokens)
    .where(
      and(
        eq(accountTokens.userId, users.id),
        eq(accountTokens.purpose, 'email_verification'),
        eq(accountTokens.emailKey, users.emailKey),
        gt(accountTokens.createdAt, sql`now() - make_interval(secs => ${pauseBetweenReminders})`)
      )
    )
  const [row] = await db
    .select()
    .from(users)
    .where(and(eq(users.id, userId), eq(users.emailVerified, false), eq(users.isDisabled, false), notExists(lately)))
  return row
}
