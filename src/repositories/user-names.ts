import { sql, inArray } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { accountTokens, users } from '../database/schema/index.ts'
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
