import { and, asc, eq, gt, inArray, isNull, lt, lte, notInArray, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { accountTokens, outbox } from '../database/schema/index.ts'

/** A mail that waits to be sent. */
export type OutboxRow = typeof outbox.$inferSelect

/**
 * Notes in the outbox that are no mails: what was asked for, to be answered when it is taken out. Whoever asks waits
 * for the same one note whether there will be a mail or not (CWE-208).
 */
export const requestTemplates = ['password_reset_request', 'email_verification_request']

const ahead = (seconds: number | SQL) => sql`now() + make_interval(secs => ${seconds})`

/** Days after which a mail that could not be delivered is of no use. */
const usefulFor = 3

/** Puts a mail into the outbox, in the transaction of what it tells of. */
export async function insertMail(db: Db, mail: typeof outbox.$inferInsert): Promise<void> {
  await db.insert(outbox).values(mail)
}

/** A link that can no longer be used is not worth a mail. */
const isUseful = (db: Db) =>
  or(
    isNull(outbox.tokenId),
    inArray(
      outbox.tokenId,
      db
        .select({ id: accountTokens.id })
        .from(accountTokens)
        .where(gt(accountTokens.expiresAt, sql`now()`))
    )
  )

/**
 * Takes a mail that is due, for the time of a lease: no other instance sees it before that has passed.
 * @param leases seconds; longer than any attempt to send a mail, or to answer a request
 * @param which all of them, or the requests alone
 */
export async function claimMail(
  db: Db,
  leases: { mail: number; request: number },
  which: 'all' | 'requests'
): Promise<OutboxRow | undefined> {
  const lease = sql`case when ${inArray(outbox.template, requestTemplates)} then ${leases.request}::integer else ${leases.mail}::integer end`
  const due = db
    .select({ id: outbox.id })
    .from(outbox)
    .where(
      and(
        lte(outbox.nextAttemptAt, sql`now()`),
        which === 'requests' ? inArray(outbox.template, requestTemplates) : isUseful(db)
      )
    )
    .orderBy(asc(outbox.nextAttemptAt))
    .limit(1)
    .for('update', { skipLocked: true })
  const [row] = await db
    .update(outbox)
    .set({ attempts: sql`${outbox.attempts} + 1`, nextAttemptAt: ahead(lease) })
    .where(eq(outbox.id, sql`(${due})`))
    .returning()
  return row
}

/** @param delay seconds until it is tried again */
export async function postponeMail(db: Db, id: number, delay: number): Promise<void> {
  await db
    .update(outbox)
    .set({ nextAttemptAt: ahead(delay) })
    .where(eq(outbox.id, id))
}

/** @returns whether it was there */
export async function deleteMail(db: Db, id: number): Promise<boolean> {
  const rows = await db.delete(outbox).where(eq(outbox.id, id)).returning({ id: outbox.id })
  return rows.length > 0
}

/** Mails that wait, with a greater id than `after`, in the order in which they were written. */
export async function findWaitingMails(db: Db, after: number, limit: number): Promise<OutboxRow[]> {
  return db
    .select()
    .from(outbox)
    .where(and(gt(outbox.id, after), notInArray(outbox.template, requestTemplates)))
    .orderBy(outbox.id)
    .limit(limit)
}

export async function countWaitingMails(db: Db): Promise<{ count: number; last: number }> {
  const [row] = await db
    .select({
      count: sql<number>`count(*)`.mapWith(Number),
      last: sql<number>`coalesce(max(${outbox.id}), 0)`.mapWith(Number)
    })
    .from(outbox)
    .where(notInArray(outbox.template, requestTemplates))
  return row ?? { count: 0, last: 0 }
}

/** Gives up what can no longer be of use. @returns how many mails that are */
export async function deleteUselessMails(db: Db): Promise<number> {
  const expired = db
    .select({ id: accountTokens.id })
    .from(accountTokens)
    .where(lte(accountTokens.expiresAt, sql`now()`))
  const rows = await db
    .delete(outbox)
    .where(or(lt(outbox.createdAt, sql`now() - make_interval(days => ${usefulFor})`), inArray(outbox.tokenId, expired)))
    .returning({ id: outbox.id })
  return rows.length
}
