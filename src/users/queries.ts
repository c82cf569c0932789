import { and, eq, exists, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { sessions, users } from '../database/schema/index.ts'
import { keyOf, normalizeUsername } from './names.ts'

export type UserRow = typeof users.$inferSelect

export async function insertUser(db: Db, user: typeof users.$inferInsert): Promise<UserRow> {
  const [row] = await db.insert(users).values(user).returning()
  if (row === undefined) throw new Error('INSERT … RETURNING gave no row')
  return row
}

/** By username or, where there is an `@`, by e-mail address. */
export async function findUserByLogin(db: Db, login: string): Promise<UserRow | undefined> {
  const username = login.includes('@') ? undefined : normalizeUsername(login)
  const [row] = await db
    .select()
    .from(users)
    .where(username === undefined ? eq(users.emailKey, keyOf(login)) : eq(users.usernameKey, keyOf(username)))
  return row
}

/** The user, if the session is still theirs and alive. */
export async function findUserOfSession(db: Db, userId: number, sessionId: string): Promise<UserRow | undefined> {
  const alive = db
    .select({ one: sql`1` })
    .from(sessions)
    .where(and(eq(sessions.id, sessionId), eq(sessions.userId, users.id), sql`${sessions.expiresAt} > now()`))
  const [row] = await db
    .select()
    .from(users)
    .where(and(eq(users.id, userId), eq(users.isDisabled, false), exists(alive)))
  return row
}

export async function updateUser(
  db: Db,
  id: number,
  change: Partial<Pick<UserRow, 'firstName' | 'secondName' | 'email' | 'emailKey' | 'emailVerified'>>
): Promise<UserRow | undefined> {
  const [row] = await db
    .update(users)
    .set({ ...change, updatedAt: sql`now()` })
    .where(eq(users.id, id))
    .returning()
  return row
}

/** Replaces a hash by a stronger one of the same password, unless the password has changed meanwhile. */
export async function replacePasswordHash(db: Db, user: UserRow, passwordHash: string): Promise<void> {
  await db
    .update(users)
    .set({ passwordHash })
    .where(and(eq(users.id, user.id), eq(users.version, user.version)))
}

/** Grants or withdraws a role. Access tokens issued before say otherwise, so they become void. */
export async function setRole(
  db: Db,
  username: string,
  change: Partial<Pick<UserRow, 'isReader' | 'isAuthor' | 'isAdmin'>>
): Promise<UserRow | undefined> {
  const [row] = await db
    .update(users)
    .set({ ...change, version: sql`${users.version} + 1`, updatedAt: sql`now()` })
    .where(eq(users.usernameKey, keyOf(username)))
    .returning()
  return row
}

/** Enabled administrators, locked until the transaction ends, so that two cannot remove each other. */
export async function lockEnabledAdmins(db: Db): Promise<{ id: number; usernameKey: string }[]> {
  return db
    .select({ id: users.id, usernameKey: users.usernameKey })
    .from(users)
    .where(and(eq(users.isAdmin, true), eq(users.isDisabled, false)))
    .orderBy(users.id)
    .for('update')
}

export async function listUsers(db: Db, after: number, limit: number): Promise<UserRow[]> {
  return db
    .select()
    .from(users)
    .where(sql`${users.id} > ${after}`)
    .orderBy(users.id)
    .limit(limit)
}

export async function findAdmin(db: Db): Promise<UserRow | undefined> {
  const [row] = await db.select().from(users).where(eq(users.isAdmin, true)).limit(1)
  return row
}
