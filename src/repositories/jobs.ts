import { and, asc, desc, eq, getTableColumns, gt, gte, type SQL, sql } from 'drizzle-orm'
import type { PgInsertValue } from 'drizzle-orm/pg-core'
import { batchSize, inBatches } from '../database/batches.ts'
import type { Db } from '../database/database.ts'
import { auditEvents, jobs } from '../database/schema/index.ts'
import { daysAgo, secondsAhead } from '../database/time.ts'
import type { Origin } from '../origin.ts'
import { type AuditEvent, eventRow } from './audit-events.ts'

export type Job = typeof jobs.$inferSelect
export type NewJob = PgInsertValue<typeof jobs>

/** A job that an instance has taken. */
export type ClaimedJob = Job & {
  /** Whether the link that it sends has expired. */
  isExpired: boolean
}

/** Adds a job in the transaction of what asks for it. */
export async function insertJob(db: Db, job: NewJob): Promise<void> {
  await db.insert(jobs).values(job)
}

/**
 * Records an event and adds a job in one statement, a single round trip and commit: for what must take the same time
 * whatever comes of it (CWE-208).
 */
export async function recordEventWithJob(db: Db, origin: Origin, event: AuditEvent, job: NewJob): Promise<void> {
  const added = db.$with('added').as(db.insert(jobs).values(job).returning({ id: jobs.id }))
  await db.with(added).insert(auditEvents).values(eventRow(origin, event))
}

/** Where to look for jobs: each lane is one range of an index, so that what waits in others costs nothing. */
export interface Lane {
  kind: string
  priority: number
  /** Seconds. */
  lease: number
}

/** Takes the job of the first lane in which one is due, of those the one that is due longest. No other instance sees it during the lease. */
export async function claimJob(db: Db, lanes: readonly Lane[]): Promise<ClaimedJob | undefined> {
  if (lanes.length === 0) return undefined
  const rows = lanes.map(
    ({ kind, priority, lease }, n) => sql`(${n}::integer, ${kind}::text, ${priority}::smallint, ${lease}::integer)`
  )
  const due = db
    .select({ id: jobs.id })
    .from(jobs)
    .where(and(sql`${jobs.kind} = lane.kind`, sql`${jobs.priority} = lane.priority`, sql`${jobs.dueAt} <= now()`))
    .orderBy(asc(jobs.dueAt))
    .limit(1)
    .for('update', { skipLocked: true })
  const taken = sql`(
    select due.id, lane.lease
    from (values ${sql.join(rows, sql`, `)}) as lane (n, kind, priority, lease) cross join lateral (${due}) as due
    order by lane.n limit 1) as taken`
  const [row] = await db
    .update(jobs)
    .set({ attempts: sql`${jobs.attempts} + 1`, dueAt: secondsAhead(sql`taken.lease`) })
    .from(taken)
    .where(sql`${jobs.id} = taken.id`)
    .returning({ ...getTableColumns(jobs), isExpired })
  return row
}

const isExpired = sql<boolean>`coalesce(
  (select expires_at <= now() from account_tokens where account_tokens.id = ${jobs.linkId}), false)`

/** Extends the lease of a job, unless another instance has taken it. */
export async function renewLease(db: Db, { id, attempts }: Job, lease: number): Promise<void> {
  await db
    .update(jobs)
    .set({ dueAt: secondsAhead(lease) })
    .where(and(eq(jobs.id, id), eq(jobs.attempts, attempts)))
}

/** @param delay seconds until the next attempt */
export async function postponeJob(db: Db, id: number, delay: number): Promise<void> {
  await db
    .update(jobs)
    .set({ dueAt: secondsAhead(delay) })
    .where(eq(jobs.id, id))
}

/** @returns whether it was there */
export async function deleteJob(db: Db, id: number): Promise<boolean> {
  const rows = await db.delete(jobs).where(eq(jobs.id, id)).returning({ id: jobs.id })
  return rows.length > 0
}

/** Waiting jobs of a kind whose id is greater than `after`, in the order of their ids. */
export async function listJobs(db: Db, kind: string, after: number, limit: number): Promise<Job[]> {
  return db
    .select()
    .from(jobs)
    .where(and(gt(jobs.id, after), eq(jobs.kind, kind)))
    .orderBy(jobs.id)
    .limit(limit)
}

/** Waiting jobs of a kind, the latest first. */
export async function listLatestJobs(db: Db, kind: string, limit: number): Promise<Job[]> {
  return db.select().from(jobs).where(eq(jobs.kind, kind)).orderBy(desc(jobs.id)).limit(limit)
}

export async function findJob(db: Db, kind: string, id: number): Promise<Job | undefined> {
  const [job] = await db
    .select()
    .from(jobs)
    .where(and(eq(jobs.id, id), eq(jobs.kind, kind)))
  return job
}

/** How many jobs of a kind wait, counted up to `max`, and the greatest id of all jobs. */
export async function countJobs(db: Db, kind: string, max: number): Promise<{ count: number; last: number }> {
  const some = db.select({ id: jobs.id }).from(jobs).where(eq(jobs.kind, kind)).limit(max).as('some')
  const [row] = await db
    .select({
      count: sql<number>`count(*)`.mapWith(Number),
      last: sql<number>`coalesce((select max(id) from ${jobs}), 0)`.mapWith(Number)
    })
    .from(some)
  return row ?? { count: 0, last: 0 }
}

/** How many jobs for a user wait for their first attempt, counted up to `max`. */
export const countUntried = (userId: number | null, kind: string, priority: number, max: number): SQL =>
  sql`(select count(*) from (
    select from ${jobs} where user_id = ${userId}::integer and kind = ${kind} and priority = ${priority} and attempts = 0
    limit ${max}) as waiting)`

/** Days after which a job that could not be done is void. */
const maxAge = 3

/**
 * Deletes void jobs: their link has expired, they are too old, or there are more than `max`. By the indexes of expired links
 * and of ids, so that no batch costs more because more jobs wait. Instances may do this at the same time.
 * @returns how many were deleted
 */
export async function deleteVoidJobs(db: Db, max = Infinity): Promise<number> {
  const ofExpiredLinks = sql`select jobs.id from account_tokens join jobs on jobs.link_id = account_tokens.id
    where account_tokens.expires_at <= now() limit ${batchSize} for update of jobs skip locked`
  const expired = await deleteBatches(db, ofExpiredLinks)
  // A job that is committed meanwhile may have a lower id than one that was seen: the time decides.
  const old = await deleteBatches(db, before(await findFirstSince(db), sql`created_at < ${daysAgo(maxAge)}`))
  return expired + old + (await deleteBatches(db, before(await findFirstOfLatest(db, max))))
}

const before = (id: number, condition = sql`true`) =>
  sql`select id from jobs where id < ${id} and ${condition} order by id limit ${batchSize} for update skip locked`

/** @returns the id of the oldest job that is not too old; one greater than any if there is none */
async function findFirstSince(db: Db): Promise<number> {
  const [row] = await db
    .select({ id: jobs.id })
    .from(jobs)
    .where(gte(jobs.createdAt, daysAgo(maxAge)))
    .orderBy(jobs.id)
    .limit(1)
  return row?.id ?? Number.MAX_SAFE_INTEGER
}

/** @returns an id below which all are older than the latest `max`; 0 if there are no others */
async function findFirstOfLatest(db: Db, max: number): Promise<number> {
  if (max === Infinity) return 0
  const [row] = await db.select({ id: jobs.id }).from(jobs).orderBy(desc(jobs.id)).offset(max).limit(1)
  return row === undefined ? 0 : row.id + 1
}

const deleteBatches = (db: Db, ids: SQL): Promise<number> =>
  inBatches(async () => {
    const rows = await db
      .delete(jobs)
      .where(sql`id in (${ids})`)
      .returning({ id: jobs.id })
    return rows.length
  })
