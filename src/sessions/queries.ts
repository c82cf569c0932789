import { and, eq, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { sessions, users } from '../database/schema/index.ts'
import type { UserRow } from '../users/queries.ts'

/** Where a request came from. */
export interface Client {
  ip: string
  userAgent: string | undefined
}

/**
 * Marks the login on the user as it was read, if they may still log in.
 * @returns undefined if the user was meanwhile disabled, deleted, or given another password or role
 */
export async function markLogin(db: Db, user: UserRow): Promise<UserRow | undefined> {
  const [row] = await db
    .update(users)
    .set({ lastLoginAt: sql`now()` })
    .where(and(eq(users.id, user.id), eq(users.version, user.version), eq(users.isDisabled, false)))
    .returning()
  return row
}

/** @param lifetime seconds until the session's absolute limit */
export async function insertSession(db: Db, userId: number, client: Client, lifetime: number): Promise<string> {
  const [row] = await db
    .insert(sessions)
    .values({
      userId,
      ip: client.ip,
      userAgent: client.userAgent?.slice(0, 512),
      expiresAt: sql`now() + make_interval(secs => ${lifetime})`
    })
    .returning({ id: sessions.id })
  if (row === undefined) throw new Error('INSERT … RETURNING gave no row')
  return row.id
}

export async function deleteSession(db: Db, id: string): Promise<void> {
  await db.delete(sessions).where(eq(sessions.id, id))
}
