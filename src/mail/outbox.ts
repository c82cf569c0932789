import { and, asc, desc, eq, getTableColumns, gt, gte, inArray, notInArray, type SQL, sql } from 'drizzle-orm'
import type { PgInsertValue } from 'drizzle-orm/pg-core'
import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import { outbox } from '../database/schema/index.ts'
import { countMail, type MailCause, type MailToCount } from '../throttling/mail-budgets.ts'
import { isUrgent, priorityOf, requestPriority, type Selection, selections } from './priorities.ts'

/** A mail that waits to be sent. */
export type OutboxRow = typeof outbox.$inferSelect

/** A mail as it was asked for. */
export type NewMail = typeof outbox.$inferInsert & Pick<MailToCount, 'isVerified'>

/**
 * Notes in the outbox that are no mails: what was asked for, to be answered when it is taken out. Whoever asks waits
 * for the same one note whether there will be a mail or not (CWE-208).
 */
export const requestTemplates = [
  'password_reset_request',
  'unlock_request',
  'email_verification_request',
  'registration_attempt_request'
] satisfies RequestName[]

type RequestName =
  'password_reset_request' | 'unlock_request' | 'email_verification_request' | 'registration_attempt_request'

export type RequestNote = typeof outbox.$inferInsert & { template: RequestName }

export const isRequest = (mail: typeof outbox.$inferInsert): mail is RequestNote =>
  (requestTemplates as string[]).includes(mail.template)

const ahead = (seconds: number | SQL) => sql`now() + make_interval(secs => ${seconds})`

/** Days after which a mail that could not be delivered is of no use. */
const usefulFor = 3

/** Rows that are deleted in one transaction. */
const batch = 500

/**
 * Puts a mail into the outbox, in the transaction of what it tells of. Of those that a recipient or a causer has had too
 * many of it writes none, and what it tells of goes on: see src/throttling/mail-budgets.ts.
 * @param cause where the mail comes from
 */
export async function insertMail(db: Db, mail: NewMail, cause: MailCause): Promise<void> {
  const row = isRequest(mail) ? noteOf(mail, cause) : (await withinBudget(db, mail, cause)).row
  if (row !== undefined) await db.insert(outbox).values(row)
}

/**
 * Counts a mail.
 * @returns its row, to be inserted in the same transaction, or the seconds until there may be another
 */
export async function withinBudget(
  db: Db,
  { isVerified: known, ...mail }: NewMail,
  cause: MailCause
): Promise<{ row: PgInsertValue<typeof outbox>; wait: 0 } | { row: undefined; wait: number }> {
  const { wait, isVerified, earlier } = await countMail(db, { ...mail, isVerified: known }, cause)
  if (wait > 0) return { row: undefined, wait }
  const priority = priorityOf(mail.template)
  const row = {
    ...mail,
    variables: { ...mail.variables, address: isVerified ? 'verified' : 'unverified' },
    priority,
    nextAttemptAt: ahead(inTurn(mail.userId ?? null, priority, earlier))
  }
  return { row, wait: 0 }
}

// Mails that a causer has sent at once, before the next are a second apart.
const atOnce = 5
const mostSpaced = 60

/**
 * Seconds for which a mail lets those of others go first: one for each that waits for the same user, and one for each that
 * comes from the same causer, unless somebody waits for it to get into their account again.
 */
const inTurn = (userId: number | null, priority: number, earlier: number) => sql`greatest(
  ${isUrgent(priority) ? 0 : Math.max(0, earlier - atOnce)}::integer,
  (select count(*) from (
    select from ${outbox} where user_id = ${userId}::integer and priority = ${priority} and attempts = 0 limit ${mostSpaced}
  ) as waiting))`

/** A note is answered later: it keeps who caused what comes of it. */
export const noteOf = (note: RequestNote, { ip, actorId, actorClientId }: MailCause): typeof outbox.$inferInsert => ({
  ...note,
  priority: requestPriority,
  variables: {
    ...(ip !== undefined && { ip }),
    ...(actorId !== undefined && { actor_id: String(actorId) }),
    ...(actorClientId !== undefined && { actor_client_id: actorClientId })
  }
})

/** Who caused a note. */
export const causeOf = ({ variables }: OutboxRow, isLimited: boolean): Origin => ({
  isLimited,
  ...(variables.ip !== undefined && { ip: variables.ip }),
  ...(variables.actor_id !== undefined && { actorId: Number(variables.actor_id) }),
  ...(variables.actor_client_id !== undefined && { actorClientId: variables.actor_client_id })
})

/** A link that can no longer be used is not worth a mail. */
const isUseful = sql<boolean>`coalesce((select expires_at > now() from account_tokens where account_tokens.id = outbox.token_id), true)`

/**
 * Takes a mail that is due, the most urgent first, for the time of a lease: no other instance sees it before that has passed.
 * Of each priority the index gives the one that has waited longest, however many wait.
 * @param leases seconds; longer than it takes to answer a request, or to renew the lease of a mail
 */
export async function claimMail(
  db: Db,
  leases: { mail: number; request: number },
  which: Selection
): Promise<(OutboxRow & { isUseful: boolean }) | undefined> {
  const lease = sql`case when ${inArray(outbox.template, requestTemplates)} then ${leases.request}::integer else ${leases.mail}::integer end`
  const lanes = sql.join(
    selections[which].map((priority) => sql`(${priority}::smallint)`),
    sql`, `
  )
  const due = db
    .select({ id: outbox.id })
    .from(outbox)
    .where(and(sql`${outbox.priority} = lane.priority`, sql`${outbox.nextAttemptAt} <= now()`))
    .orderBy(asc(outbox.nextAttemptAt))
    .limit(1)
    .for('update', { skipLocked: true })
  const [row] = await db
    .update(outbox)
    .set({ attempts: sql`${outbox.attempts} + 1`, nextAttemptAt: ahead(lease) })
    .where(
      sql`id = (select due.id from (values ${lanes}) as lane (priority) cross join lateral (${due}) as due limit 1)`
    )
    .returning({ ...getTableColumns(outbox), isUseful })
  return row
}

/** Keeps a mail that is being sent from the other instances, unless one of them has it already. */
export async function renewLease(db: Db, { id, attempts }: OutboxRow, lease: number): Promise<void> {
  await db
    .update(outbox)
    .set({ nextAttemptAt: ahead(lease) })
    .where(and(eq(outbox.id, id), eq(outbox.attempts, attempts)))
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

/** How many mails wait, counted up to `most`, and the last that was written. */
export async function countWaitingMails(db: Db, most: number): Promise<{ count: number; last: number }> {
  const some = db.select({ id: outbox.id }).from(outbox).where(gte(outbox.priority, 0)).limit(most).as('some')
  const [row] = await db
    .select({
      count: sql<number>`count(*)`.mapWith(Number),
      last: sql<number>`coalesce((select max(id) from ${outbox}), 0)`.mapWith(Number)
    })
    .from(some)
  return row ?? { count: 0, last: 0 }
}

/**
 * Gives up what can no longer be of use, in batches, by the order of ids and the index of expired links: no batch costs
 * more because more mails wait. Instances may do this at the same time: each takes rows that no other has.
 * @param most mails that are kept, where nothing sends them
 * @returns how many mails were given up
 */
export async function deleteUselessMails(db: Db, most = Infinity): Promise<number> {
  const ofExpired = sql`select outbox.id from account_tokens join outbox on outbox.token_id = account_tokens.id
    where account_tokens.expires_at <= now() limit ${batch} for update of outbox skip locked`
  const expired = await deleteBatches(db, ofExpired)
  // A mail that is committed meanwhile may have a lower id than one that was seen: the time decides.
  const old = await deleteBatches(db, before(await findFirstOfUse(db), sql`created_at < ${oldest}`))
  return expired + old + (await deleteBatches(db, before(await findFirstOfLatest(db, most))))
}

const oldest = sql`now() - make_interval(days => ${usefulFor})`

const before = (id: number, condition = sql`true`) =>
  sql`select id from outbox where id < ${id} and ${condition} order by id limit ${batch} for update skip locked`

/** @returns the id of the oldest mail that is not too old; one that is greater than any if there is none */
async function findFirstOfUse(db: Db): Promise<number> {
  const [row] = await db
    .select({ id: outbox.id })
    .from(outbox)
    .where(gte(outbox.createdAt, oldest))
    .orderBy(outbox.id)
    .limit(1)
  return row?.id ?? Number.MAX_SAFE_INTEGER
}

/** @returns the id of the oldest of the latest mails; 0 if there are no others */
async function findFirstOfLatest(db: Db, most: number): Promise<number> {
  if (most === Infinity) return 0
  const [row] = await db.select({ id: outbox.id }).from(outbox).orderBy(desc(outbox.id)).offset(most).limit(1)
  return row === undefined ? 0 : row.id + 1
}

async function deleteBatches(db: Db, ids: SQL): Promise<number> {
  let total = 0
  for (;;) {
    const rows = await db
      .delete(outbox)
      .where(sql`id in (${ids})`)
      .returning({ id: outbox.id })
    total += rows.length
    if (rows.length < batch) return total
  }
}
