import { and, eq, notLike, isNotNull, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { users } from '../database/schema/index.ts'
import type { UserRow } from './users.ts'
import type { Argon2Cost } from '../passwords/schemes/scheme.ts'

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

/** Hashes that are not of the present cost: from before it was raised, or imported. */
export async function findOtherHashes(
  db: Db,
  { memoryCost, timeCost, parallelism }: Argon2Cost,
  limit: number
): Promise<string[]> {
  const present = `$argon2id$v=19$m=${String(memoryCost)},t=${String(timeCost)},p=${String(parallelism)}$%`
  const rows = await db
    .select({ hash: users.passwordHash })
    .from(users)
    .where(and(isNotNull(users.passwordHash), notLike(users.passwordHash, present)))
    .limit(limit)
  return rows.flatMap(({ hash }) => hash ?? [])
}
