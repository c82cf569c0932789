import type { Db } from '../database/database.ts'
import { Problem } from '../errors.ts'
import { toKey, readEmail, readUsername } from '../names.ts'
import type { Origin } from '../origin.ts'
import { type AuditEventType, recordEvent } from '../repositories/audit-events.ts'
import { isKeptForAnother } from '../repositories/user-names.ts'
import { insertUser, type UserRow } from '../repositories/users.ts'
import { toColumn, defaultRoles, mapRoles, type RoleColumn, listRoles } from '../roles.ts'

/** What people choose when an account is created. */
export interface Registration {
  username: string
  email: string
  password: string
}

/** A user who is to be created. Roles that are not named are those of every new user. */
export interface NewUser extends Partial<Record<RoleColumn, boolean | undefined>> {
  username: string
  email: string
  emailVerified?: boolean | undefined
  firstName?: string | null | undefined
  secondName?: string | null | undefined
  passwordHash?: string | undefined
  isDisabled?: boolean | undefined
}

/**
 * The row of a new user, however they are created.
 * @throws {InvalidInput} for a username or an address that is not one
 */
export function newUserRow(user: NewUser) {
  const username = readUsername(user.username)
  const email = readEmail(user.email)
  return {
    username,
    usernameKey: toKey(username),
    email,
    emailKey: toKey(email),
    emailVerified: user.emailVerified ?? false,
    firstName: user.firstName ?? null,
    secondName: user.secondName ?? null,
    passwordHash: user.passwordHash ?? null,
    ...mapRoles(toColumn, (role) => user[toColumn(role)] ?? defaultRoles[toColumn(role)]),
    isDisabled: user.isDisabled ?? false
  }
}

/**
 * Creates a user with the event that tells of it.
 * @throws {Problem} `email_taken` for an address to which another user may still return
 */
export async function createUser(
  tx: Db,
  row: ReturnType<typeof newUserRow>,
  type: AuditEventType,
  origin: Origin
): Promise<UserRow> {
  const user = await insertUser(tx, row)
  if (await isKeptForAnother(tx, user)) throw new Problem('email_taken')
  await recordEvent(tx, origin, { type, userId: user.id, details: { roles: listRoles(user) } })
  return user
}
