import { and, inArray, lt, notLike, type SQL, sql } from 'drizzle-orm'
import { clockLeeway, maxTransactionAge } from '../config/tolerances.ts'
import { batchSize, inBatches } from '../database/batches.ts'
import type { Db } from '../database/database.ts'
import { accountTokens, auditEvents, revocations, sessions } from '../database/schema/index.ts'
import { daysAgo, secondsAgo } from '../database/time.ts'
import { deleteExpiredCounters } from './failure-counters.ts'
import { maxAccessTokenMinutes } from '../config/settings.ts'

/**
 * Seconds for which revocations are kept, whatever the lifetime of tokens at the instance that sweeps: another one, or
 * the same after a restart, may load them for the longest lifetime that can be set.
 */
const revocationLifetime = maxAccessTokenMinutes * 60 + clockLeeway + maxTransactionAge

/**
 * Deletes what has expired, in small batches. Instances may sweep at the same time: each takes rows that no other has.
 * @param options.auditRetention days for which events are kept; those of keys are few, and kept for good
 * @returns how many rows are gone
 */
export async function sweep(db: Db, options: { auditRetention: number }): Promise<number> {
  const isExpired = (column: typeof sessions.sweepAfter | typeof accountTokens.expiresAt) => lt(column, sql`now()`)
  const oldRevocation = lt(revocations.createdAt, secondsAgo(revocationLifetime))
  const oldEvent = and(lt(auditEvents.createdAt, daysAgo(options.auditRetention)), notLike(auditEvents.type, 'key.%'))
  return (
    (await inBatches(() => deleteBatch(db, sessions, isExpired(sessions.sweepAfter)))) +
    (await inBatches(() => deleteBatch(db, accountTokens, isExpired(accountTokens.expiresAt)))) +
    (await inBatches(() => deleteBatch(db, revocations, oldRevocation))) +
    (await inBatches(() => deleteBatch(db, auditEvents, oldEvent))) +
    (await inBatches(() => deleteExpiredCounters(db, batchSize)))
  )
}

async function deleteBatch(
  db: Db,
  table: typeof sessions | typeof revocations | typeof accountTokens | typeof auditEvents,
  condition: SQL | undefined
): Promise<number> {
  const expired = db
    .select({ id: table.id })
    .from(table)
    .where(condition)
    .limit(batchSize)
    .for('update', { skipLocked: true })
  const rows = await db.delete(table).where(inArray(table.id, expired)).returning({ id: table.id })
  return rows.length
}
