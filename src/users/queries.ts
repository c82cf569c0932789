import { and, eq, inArray, isNotNull, or, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { accountTokens, sessions, users } from '../database/schema/index.ts'
import { isWithinAbsoluteLimit, type SessionLifetime } from '../sessions/lifetime.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import { keyOf, readLogin } from './names.ts'

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

/** What of an access token can be looked up. */
export type TokenReference = Pick<UserPrincipal, 'userId' | 'sessionId' | 'version'>

/**
 * Makes the look-up of access tokens' users: each is undefined if the session has ended, or the user was disabled,
 * deleted or changed since. One statement answers for as many as ask at the same moment.
 */
export function prepareFindUsersOfTokens(
  db: Db,
  lifetime: Pick<SessionLifetime, 'absolute'>
): (asked: readonly TokenReference[]) => Promise<(UserRow | undefined)[]> {
  const asking = sql`jsonb_to_recordset(${sql.placeholder('asked')}::jsonb)
    as asking (n integer, user_id integer, session_id uuid, version integer)`
  const statement = db
    .select({ n: sql<number>`asking.n`, user: users })
    .from(asking)
    .innerJoin(
      users,
      sql`${users.id} = asking.user_id and ${users.version} = asking.version and not ${users.isDisabled}`
    )
    .innerJoin(
      sessions,
      sql`${sessions.id} = asking.session_id and ${sessions.userId} = ${users.id} and ${isWithinAbsoluteLimit(lifetime)}`
    )
    .prepare('find_users_of_tokens')

  return async (asked) => {
    const rows = await statement.execute({
      asked: JSON.stringify(
        asked.map(({ userId, sessionId, version }, n) => ({ n, user_id: userId, session_id: sessionId, version }))
      )
    })
    const found = asked.map((): UserRow | undefined => undefined)
    for (const { n, user } of rows) found[n] = user
    return found
  }
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

/** A user, locked until the transaction ends. */
export interface LockedUser {
  user: UserRow
  /** Whether they are the only administrator who can log in. */
  isLastAdmin: boolean
}

/** What is asked of those who log in, beside a password. */
export interface LoginRules {
  requireVerifiedEmail?: boolean
}

/** Whether a user is an administrator who can log in: one who was invited and has no password yet cannot. */
export const canAdminister = (user: UserRow, { requireVerifiedEmail = false }: LoginRules): boolean =>
  user.isAdmin && !user.isDisabled && user.passwordHash !== null && (user.emailVerified || !requireVerifiedEmail)

/**
 * Locks a user for a change, an enabled administrator together with all others, and with either who makes the change.
 * Always in the order of their ids, so that two who remove each other wait for one another and the second sees what the
 * first did.
 */
export async function lockUser(
  db: Db,
  which: UserReference,
  rules: LoginRules = {},
  actorId?: number
): Promise<LockedUser | undefined> {
  const isEnabledAdmin = (user: UserRow) => user.isAdmin && !user.isDisabled
  for (;;) {
    const condition = 'id' in which ? eq(users.id, which.id) : eq(users.usernameKey, keyOf(which.username))
    const [found] = await db.select().from(users).where(condition)
    if (found === undefined) return undefined
    const locked = await db
      .select()
      .from(users)
      .where(
        or(
          isEnabledAdmin(found) ? and(sql`${users.isAdmin}`, sql`not ${users.isDisabled}`) : eq(users.id, found.id),
          actorId === undefined ? undefined : eq(users.id, actorId)
        )
      )
      .orderBy(users.id)
      .for('update')
    const user = locked.find(({ id }) => id === found.id)
    // Otherwise it has changed before it was locked: now it cannot.
    if (user !== undefined && isEnabledAdmin(user) === isEnabledAdmin(found)) {
      const others = locked.filter((other) => other.id !== user.id && canAdminister(other, rules))
      return { user, isLastAdmin: canAdminister(user, rules) && others.length === 0 }
    }
  }
}

export type UserReference = { id: number } | { username: string }

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
