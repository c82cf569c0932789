import { createHash } from 'node:crypto'
import { lte, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { rateLimits } from '../database/schema/index.ts'
import { orClosed } from '../database/fail-closed.ts'
import { daysAhead } from '../database/time.ts'

/** Days for which a username is held that was asked for with a known address. */
const heldFor = 30

/**
 * Holds the username of a registration that made no user, since its address is known: a second registration finds it
 * taken, as they would if there were a user, and so learns nothing of the address. Of a registration that made one this
 * costs the same, and holds nothing. A digest, since people also type addresses where the name belongs.
 * @returns whether the name was free
 */
export async function holdUsername(tx: Db, usernameKey: string, hold: 'for long' | 'not at all'): Promise<boolean> {
  const key = `held:${createHash('sha256').update(usernameKey).digest('base64url')}`
  const expire = daysAhead(hold === 'for long' ? heldFor : 0)
  const rows = await orClosed(
    tx
      .insert(rateLimits)
      .values({ key, points: 1, expire })
      .onConflictDoUpdate({ target: rateLimits.key, set: { expire }, setWhere: lte(rateLimits.expire, sql`now()`) })
      .returning({ key: rateLimits.key })
  )
  return rows.length > 0
}
