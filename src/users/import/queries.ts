import { inArray, or, sql } from 'drizzle-orm'
import { recordEvents } from '../../audit/events.ts'
import type { Db } from '../../database/database.ts'
import { users } from '../../database/schema/index.ts'
import { roles } from '../../roles/roles.ts'
import type { NewUserRow } from './record.ts'

/** What of a user nobody else may have. */
export type Holder = Pick<NewUserRow, 'id' | 'usernameKey' | 'emailKey'>

/** Those who have a name, an address or an id of the given users already. */
export async function findHolders(db: Db, wanted: NewUserRow[]): Promise<Holder[]> {
  const ids = wanted.flatMap(({ id }) => (id === undefined ? [] : [id]))
  return db
    .select({ id: users.id, usernameKey: users.usernameKey, emailKey: users.emailKey })
    .from(users)
    .where(
      or(
        inArray(
          users.usernameKey,
          wanted.map((user) => user.usernameKey)
        ),
        inArray(
          users.emailKey,
          wanted.map((user) => user.emailKey)
        ),
        inArray(users.id, ids)
      )
    )
}

/**
 * Inserts those whose name, address and id are free, each with its event, in one transaction.
 * @returns the `usernameKey` of each who was inserted
 */
export async function insertImported(db: Db, wanted: NewUserRow[]): Promise<Set<string>> {
  return db.transaction(async (tx) => {
    const inserted = await tx.insert(users).overridingSystemValue().values(wanted).onConflictDoNothing().returning({
      id: users.id,
      usernameKey: users.usernameKey,
      reader: users.isReader,
      author: users.isAuthor,
      admin: users.isAdmin
    })
    if (inserted.length > 0) {
      await recordEvents(
        tx,
        {},
        inserted.map((user) => ({
          type: 'user.imported',
          userId: user.id,
          details: { roles: roles.filter((role) => user[role]) }
        }))
      )
    }
    return new Set(inserted.map((user) => user.usernameKey))
  })
}

/** Lets the ids of users who come later begin after `id`. Before the users with such ids come, so that nobody takes theirs. */
export async function reserveIds(db: Db, id: number): Promise<void> {
  await db.execute(
    sql`select setval('users_id_seq', ${id}::bigint) from users_id_seq where last_value <= ${id}::bigint`
  )
}
