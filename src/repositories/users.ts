import { and, eq, isNotNull, or, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { users } from '../database/schema/index.ts'
import { keyOf, readLogin } from '../names.ts'

export type UserRow = typeof users.$inferSelect

/** What of a user is in an access token. */
export type TokenSubject = Pick<UserRow, keyof typeof tokenSubject>

export const tokenSubject = {
  id: users.id,
  username: users.username,
  version: users.version,
  isReader: users.isReader,
  isAuthor: users.isAuthor,
  isAdmin: users.isAdmin
}

export async function insertUser(db: Db, user: typeof users.$inferInsert): Promise<UserRow> {
  const [row] = await db.insert(users).values(user).returning()
  if (row === undefined) throw new Error('INSERT … RETURNING gave no row')
  return row
}

/** @returns undefined if another user has the name or the address */
export async function insertUserUnlessTaken(db: Db, user: typeof users.$inferInsert): Promise<UserRow | undefined> {
  const [row] = await db.insert(users).values(user).onConflictDoNothing().returning()
  return row
}

/** By username or, where there is an `@`, by e-mail address. */
export async function findUserByLogin(db: Db, login: string): Promise<UserRow | undefined> {
  const keys = readLogin(login)
  const [row] = await db
    .select()
    .from(users)
    .where('emailKey' in keys ? eq(users.emailKey, keys.emailKey) : eq(users.usernameKey, keys.usernameKey))
  return row
}

export async function findUser(db: Db, id: number): Promise<UserRow | undefined> {
  const [row] = await db.select().from(users).where(eq(users.id, id))
  return row
}

export async function updateUser(
  db: Db,
  id: number,
  change: Partial<
    Pick<
      UserRow,
      | 'username'
      | 'usernameKey'
      | 'firstName'
      | 'secondName'
      | 'email'
      | 'emailKey'
      | 'emailVerified'
      | 'isDisabled'
      | 'version'
    > &
      Pick<UserRow, 'isReader' | 'isAuthor' | 'isAdmin' | 'pendingEmail' | 'pendingEmailKey'>
  >
): Promise<UserRow | undefined> {
  const [row] = await db
    .update(users)
    .set({ ...change, updatedAt: sql`now()` })
    .where(eq(users.id, id))
    .returning()
  return row
}

export async function deleteUser(db: Db, id: number): Promise<void> {
  await db.delete(users).where(eq(users.id, id))
}

export async function listUsers(db: Db, after: number, limit: number): Promise<UserRow[]> {
  return db
    .select()
    .from(users)
    .where(sql`${users.id} > ${after}`)
    .orderBy(users.id)
    .limit(limit)
}

/**
 * An administrator who can log in, or who has one of these names. Those who have not verified their address yet count:
 * their next login mails them the link.
 */
export async function findAdmin(db: Db, names: { username: string; email: string }): Promise<UserRow | undefined> {
  const [row] = await db
    .select()
    .from(users)
    .where(
      and(
        sql`${users.isAdmin}`,
        or(
          and(sql`not ${users.isDisabled}`, isNotNull(users.passwordHash)),
          eq(users.usernameKey, keyOf(names.username)),
          eq(users.emailKey, keyOf(names.email))
        )
      )
    )
    .limit(1)
  return row
}
