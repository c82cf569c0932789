import { attemptRequest, recordEventWithMail, verificationRequest } from '../accounts/requests.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import { violatedUniqueIndex } from '../database/errors.ts'
import { Problem } from '../errors.ts'
import type { Hasher } from '../passwords/hasher.ts'
import { checkPassword, type PasswordPolicy } from '../passwords/policy.ts'
import type { InRevokingTransaction } from '../revocation/transaction.ts'
import type { Role } from '../roles.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import { changeLockedUser, changeUser, type ProfileChange, type UserChange } from './changes.ts'
import { holdUsername } from '../repositories/held-usernames.ts'
import { isEmail, keyOf, normalizeUsername } from '../names.ts'
import type { FindUserOfToken } from '../repositories/users-by-token.ts'
import { deleteUser, insertUser, insertUserUnlessTaken, type UserRow } from '../repositories/users.ts'
import { lockUser } from '../repositories/user-locks.ts'
import { findHolders, isKeptForAnother } from '../repositories/user-names.ts'

export interface NewUser {
  username: string
  email: string
  password: string
}

export interface UsersOptions {
  db: Db
  passwords: Hasher
  findUserOfToken: FindUserOfToken
  passwordPolicy: PasswordPolicy
  inRevokingTransaction: InRevokingTransaction
  /** Whether a registration must not tell that an address is known. */
  requireVerifiedEmail?: boolean
  /** Called when mail was committed to the outbox. */
  onMail?: () => void
}

export type Users = ReturnType<typeof createUsers>

export function createUsers({
  db,
  passwords,
  findUserOfToken,
  passwordPolicy,
  inRevokingTransaction,
  requireVerifiedEmail = false,
  onMail = () => undefined
}: UsersOptions) {
  return {
    /**
     * Registers a user, who is a reader and nothing else, and mails them a link to verify their address.
     * Where addresses must be verified, a known one looks like a new one, and its owner is told by mail.
     * @throws {Problem} `validation_failed`, `username_taken`, `email_taken`, `overloaded`
     */
    async register(newUser: NewUser, origin: Origin): Promise<void> {
      const row = await toRow(newUser, ['reader'])
      await db.transaction(async (tx) => {
        const user = await insertUserUnlessTaken(tx, row)
        // Asked in any case, so that time does not tell (CWE-208), and after the insertion: see `isKeptForAnother`.
        const holders = (await findHolders(tx, row)).filter(({ id }) => id !== user?.id)
        const isMade = user !== undefined && holders.length === 0
        // In any case, for the same reason.
        const isHeld =
          requireVerifiedEmail && !(await holdUsername(tx, row.usernameKey, isMade ? 'not at all' : 'for long'))
        if (isHeld || holders.some(({ usernameKey }) => usernameKey === row.usernameKey)) {
          throw new Problem('username_taken')
        }
        if (user !== undefined && !isMade) await deleteUser(tx, user.id)
        if (isMade) {
          const event = { type: 'user.registered', userId: user.id, details: { roles: ['reader'] } } as const
          await recordEventWithMail(tx, origin, event, verificationRequest(user, origin))
        } else {
          const [owner] = holders
          if (!requireVerifiedEmail || owner === undefined) throw new Problem('email_taken')
          const event = { type: 'user.registration_refused', userId: owner.id } as const
          await recordEventWithMail(tx, origin, event, attemptRequest(owner, origin, row.email))
        }
      })
      onMail()
    },

    /**
     * Makes a user by an operator's word, which also stands for the address.
     * @throws {Problem} `validation_failed`, `username_taken`, `email_taken`, `overloaded`
     */
    async create(newUser: NewUser, origin: Origin, roles: Role[]): Promise<UserRow> {
      const row = await toRow(newUser, roles)
      return naming(
        db.transaction(async (tx) => {
          const user = await insertUser(tx, { ...row, emailVerified: true })
          if (await isKeptForAnother(tx, user)) throw new Problem('email_taken')
          await recordEvent(tx, origin, { type: 'user.registered', userId: user.id, details: { roles } })
          return user
        })
      )
    },

    /**
     * The caller, from the database.
     * @throws {Problem} `token_revoked` if the session has ended, or the user was disabled, deleted or changed since
     */
    current,

    /**
     * Changes the caller's profile. Another address waits until its link is followed, whether it is taken or not.
     * @throws {Problem} `token_revoked`
     */
    async updateProfile(principal: UserPrincipal, change: ProfileChange, origin: Origin): Promise<UserRow> {
      const updated = await changeCaller(principal, change, origin)
      if (change.email !== undefined) onMail()
      return updated
    },

    /** @throws {Problem} `validation_failed`, `username_taken`, `token_revoked` */
    changeUsername: (principal: UserPrincipal, typed: string, origin: Origin): Promise<UserRow> =>
      naming(changeCaller(principal, { username: readUsername(typed) }, origin)),

    /** @throws {Problem} `not_found`, or `last_admin` for the last enabled administrator's role */
    setRole: (username: string, role: Role, granted: boolean, origin: Origin): Promise<UserRow> =>
      inRevokingTransaction((tx) =>
        changeUser(tx, { username }, { [`is_${role}`]: granted }, origin, { requireVerifiedEmail })
      ),

    /** @throws {Problem} `not_found`, or `last_admin` */
    setDisabled: (username: string, disabled: boolean, origin: Origin): Promise<UserRow> =>
      inRevokingTransaction((tx) =>
        changeUser(tx, { username }, { is_disabled: disabled }, origin, { requireVerifiedEmail })
      )
  }

  /** @throws {Problem} where a name, the address or the password is none that is taken here */
  async function toRow({ username: typed, email, password }: NewUser, roles: Role[]) {
    const username = readUsername(typed)
    if (!isEmail(email)) throw Problem.validation([{ path: '/body/email', message: 'must be a valid email' }])
    await checkPassword(password, { username, email }, passwordPolicy)
    return {
      username,
      usernameKey: keyOf(username),
      email,
      emailKey: keyOf(email),
      // Hashed whether the name is free or not, so that time does not tell (CWE-208), and outside any transaction.
      passwordHash: await passwords.hash(password),
      isReader: roles.includes('reader'),
      isAuthor: roles.includes('author'),
      isAdmin: roles.includes('admin')
    }
  }

  async function changeCaller(principal: UserPrincipal, change: UserChange, origin: Origin): Promise<UserRow> {
    const { id } = await current(principal)
    return inRevokingTransaction(async (tx) => {
      const locked = await lockUser(tx, { id })
      if (locked === undefined) throw new Problem('token_revoked')
      const outcome = await changeLockedUser(tx, locked, change, origin, { address: 'when confirmed' })
      const { usernameKey } = outcome.result
      const isNew = usernameKey !== locked.user.usernameKey
      if (requireVerifiedEmail && isNew && !(await holdUsername(tx, usernameKey, 'not at all'))) {
        throw new Problem('username_taken')
      }
      return outcome
    })
  }

  async function current(principal: UserPrincipal): Promise<UserRow> {
    const user = await findUserOfToken(principal)
    if (user === undefined) throw new Problem('token_revoked')
    return user
  }
}

/** @throws {Problem} `validation_failed` */
export function readUsername(typed: string): string {
  const username = normalizeUsername(typed)
  if (username === undefined) throw Problem.validation([{ path: '/body/username', message: usernameRule }])
  return username
}

export const usernameRule =
  'must have 3 to 32 characters: Latin letters and digits, and between them also ".", "_" and "-"'

/** Turns a name that another user holds into the problem that says so. */
export async function naming<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const index = violatedUniqueIndex(error)
    if (index === 'users_username_key') throw new Problem('username_taken')
    if (index === 'users_email_key') throw new Problem('email_taken')
    throw error
  }
}
