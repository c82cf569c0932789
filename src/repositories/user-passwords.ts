import { and, eq, notLike, isNotNull, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { users } from '../database/schema/index.ts'
import type { UserRow } from './users.ts'

/** Replaces a hash by a stronger one of the same password, unless the password has changed meanwhile. */
export async function replacePasswordHash(db: Db, user: UserRow, passwordHash: string): Promise<void> {
  await db
    .update(users)
    .set({ passwordHash })
    .where(and(eq(users.id, user.id), eq(users.passwordVersion, user.passwordVersion)))
}

/**
 * Sets another password, if the present one is still that of `user`.
 * @returns the user as they are now; nobody else changes them until the transaction ends
 */
export async function changePasswordHash(db: Db, user: UserRow, passwordHash: string): Promise<UserRow | undefined> {
  const [changed] = await db
    .update(users)
    .set({ passwordHash, passwordVersion: sql`${users.passwordVersion} + 1`, updatedAt: sql`now()` })
    .where(and(eq(users.id, user.id), eq(users.passwordVersion, user.passwordVersion)))
    .returning()
  return changed
}

/**
 * Marks the login on the user as it was read, if they may still log in.
 * @returns undefined if the user was meanwhile disabled, deleted, or given another password or role
 */
export async function markLogin(db: Db, user: UserRow): Promise<UserRow | undefined> {
  const [row] = await db
    .update(users)
    .set({ lastLoginAt: sql`now()` })
    .where(
      and(
        eq(users.id, user.id),
        eq(users.version, user.version),
        eq(users.passwordVersion, user.passwordVersion),
        eq(users.isDisabled, false)
      )
    )
    .returning()
  return row
}

/** Hashes that do not begin with `prefix`. */
export async function findOtherHashes(db: Db, prefix: string, limit: number): Promise<string[]> {
  const rows = await db
    .select({ hash: users.passwordHash })
    .from(users)
    .where(and(isNotNull(users.passwordHash), notLike(users.passwordHash, `${prefix}%`)))
    .limit(limit)
  return rows.flatMap(({ hash }) => hash ?? [])
}
