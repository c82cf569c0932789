import { createHash } from 'node:crypto'
import { inArray, lte, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { violatedUniqueIndex } from '../database/errors.ts'
import { orClosed } from '../database/fail-closed.ts'
import { accountTokens, rateLimits, users } from '../database/schema/index.ts'
import { daysAhead } from '../database/time.ts'
import { Problem } from '../errors.ts'
import type { UserRow } from './users.ts'

/**
 * The users who have the name or the address, or may still return to the address by a link that undoes its change.
 * A union, so that each part has its index.
 */
export async function findHolders(db: Db, names: Pick<UserRow, 'usernameKey' | 'emailKey'>): Promise<UserRow[]> {
  const { userId, purpose, emailKey, expiresAt } = accountTokens
  const ids = sql`(
    select ${users.id} from ${users} where ${users.usernameKey} = ${names.usernameKey}
    union select ${users.id} from ${users} where ${users.emailKey} = ${names.emailKey}
    union select ${userId} from ${accountTokens}
      where ${purpose} = 'email_undo' and ${emailKey} = ${names.emailKey} and ${expiresAt} > now())`
  return db.select().from(users).where(inArray(users.id, ids))
}

/**
 * Whether another user may still return to the address that this one was just given. To be asked after the statement
 * that gives it, which waits for the user who is giving the address up and keeps a link to return to it.
 */
export async function isKeptForAnother(
  tx: Db,
  user: Pick<UserRow, 'id' | 'usernameKey' | 'emailKey'>
): Promise<boolean> {
  return (await findHolders(tx, user)).some(({ id }) => id !== user.id)
}

/** Turns a name or an address that another user has into the problem that says so. */
export async function refuseTakenNames<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const index = violatedUniqueIndex(error)
    if (index === 'users_username_key') throw new Problem('username_taken')
    if (index === 'users_email_key') throw new Problem('email_taken')
    throw error
  }
}

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
