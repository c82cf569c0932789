import { and, eq, or, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { users } from '../database/schema/index.ts'
import { toKey } from '../names.ts'
import type { UserRow } from './users.ts'

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

export type UserReference = { id: number } | { username: string }

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
    const condition = 'id' in which ? eq(users.id, which.id) : eq(users.usernameKey, toKey(which.username))
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

/** A user who may log in, locked for one transaction at a time: the next sees what the one before did. */
export async function lockActiveUser(
  tx: Db,
  which: { id: number } | { emailKey: string }
): Promise<UserRow | undefined> {
  const condition = 'id' in which ? eq(users.id, which.id) : eq(users.emailKey, which.emailKey)
  const [row] = await tx
    .select()
    .from(users)
    .where(and(condition, eq(users.isDisabled, false)))
    .for('no key update')
  return row
}
