import { inArray, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { violatedUniqueIndex } from '../database/errors.ts'
import { accountTokens, users } from '../database/schema/index.ts'
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
