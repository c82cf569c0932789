import { eq, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { rateLimits } from '../database/schema/index.ts'
import { secondsAhead } from '../database/time.ts'

const hour = 60 * 60

/**
 * Takes one of an hour's `max`. Instances share the row.
 * @returns how many were taken, this one included: `max` + 1 for the first that is too many, then undefined
 */
export async function spend(tx: Db, key: string, max: number): Promise<number | undefined> {
  const isOver = sql`${rateLimits.expire} <= now()`
  const end = secondsAhead(hour)
  const [row] = await tx
    .insert(rateLimits)
    .values({ key, points: 1, expire: end })
    .onConflictDoUpdate({
      target: rateLimits.key,
      set: {
        points: sql`case when ${isOver} then 1 else ${rateLimits.points} + 1 end`,
        expire: sql`case when ${isOver} then ${end} else ${rateLimits.expire} end`
      },
      setWhere: sql`${isOver} or ${rateLimits.points} <= ${max}`
    })
    .returning({ points: rateLimits.points })
  return row?.points
}

/** @returns the seconds until the budget is renewed, at least 1 */
export async function findBudgetWait(tx: Db, key: string): Promise<number> {
  const [row] = await tx
    .select({ wait: sql`ceil(extract(epoch from ${rateLimits.expire} - now()))`.mapWith(Number) })
    .from(rateLimits)
    .where(eq(rateLimits.key, key))
  return Math.max(1, row?.wait ?? 1)
}
