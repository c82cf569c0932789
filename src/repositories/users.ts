import { and, eq, inArray, isNotNull, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { onlyRow } from '../database/rows.ts'
import { users } from '../database/schema/index.ts'
import { Problem } from '../errors.ts'
import { toKey, readLogin } from '../names.ts'
import { toColumn, mapRoles, type Role } from '../roles.ts'

export type UserRow = typeof users.$inferSelect

/** What of a user is in an access token. */
export type TokenSubject = Pick<UserRow, keyof typeof tokenSubject>

export const tokenSubject = {
  id: users.id,
  username: users.username,
  version: users.version,
  ...mapRoles(toColumn, (role) => users[toColumn(role)])
}

export async function insertUser(db: Db, user: typeof users.$inferInsert): Promise<UserRow> {
  return onlyRow(await db.insert(users).values(user).returning())
}

/** @returns undefined if another user has the name or the address */
export async function insertUserUnlessTaken(db: Db, user: typeof users.$inferInsert): Promise<UserRow | undefined> {
  const [row] = await db.insert(users).values(user).onConflictDoNothing().returning()
  return row
}

/** Those of the users who are there. */
export async function findUsers(db: Db, ids: (number | null | undefined)[]): Promise<UserRow[]> {
  const named = ids.filter((id) => id != null)
  return named.length === 0 ? [] : db.select().from(users).where(inArray(users.id, named))
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

/** @throws {Problem} `not_found` */
export async function requireUserById(db: Db, id: number): Promise<UserRow> {
  const user = await findUser(db, id)
  if (user === undefined) throw new Problem('not_found')
  return user
}

/** Writes what can be changed of a user, who is locked: neither the password, nor when they came and were last here. */
export async function updateUser(tx: Db, user: UserRow): Promise<UserRow | undefined> {
  const { id, passwordHash, passwordVersion, createdAt, lastLoginAt, ...changed } = user
  const [row] = await tx
    .update(users)
    .set({ ...changed, updatedAt: sql`now()` })
    .where(eq(users.id, id))
    .returning()
  return row
}

/** Marks the address of a user as verified, if it is still theirs. @returns whether it is */
export async function markEmailVerified(tx: Db, user: Pick<UserRow, 'id' | 'emailKey'>): Promise<boolean> {
  const rows = await tx
    .update(users)
    .set({ emailVerified: true, updatedAt: sql`now()` })
    .where(and(eq(users.id, user.id), eq(users.emailKey, user.emailKey)))
    .returning({ id: users.id })
  return rows.length > 0
}

/** The id of the user who has an address, for a statement that finds it out by itself. */
export const userIdByEmail = (email: string): SQL =>
  sql`(select ${users.id} from ${users} where ${users.emailKey} = ${toKey(email)})`

export async function deleteUser(db: Db, id: number): Promise<void> {
  await db.delete(users).where(eq(users.id, id))
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
          eq(users.usernameKey, toKey(names.username)),
          eq(users.emailKey, toKey(names.email))
        )
      )
    )
    .limit(1)
  return row
}

/** The users with a role. The column is named without a parameter, which would keep a partial index from being used. */
export const hasRole = (role: Role): SQL => sql`${users[toColumn(role)]}`
