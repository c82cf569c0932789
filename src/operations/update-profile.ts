import { Problem } from '../errors.ts'
import type { Mechanisms } from '../mechanisms.ts'
import { readUsername } from '../names.ts'
import type { Origin } from '../origin.ts'
import { lockUser } from '../repositories/user-locks.ts'
import { holdUsername, refuseTakenNames } from '../repositories/user-names.ts'
import type { UserRow } from '../repositories/users.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import { changeLockedUser, type ProfileChange, type UserChange } from '../users/changes.ts'

/** The caller as the database has them now. @throws {Problem} `token_revoked` */
export const currentUser = ({ requireUser }: Mechanisms) => requireUser

/**
 * Changes the caller's profile. Another address is pending until its link is followed, whether it is taken or not.
 * @throws {Problem} `token_revoked`
 */
export const updateProfile =
  (mechanisms: Mechanisms) =>
  async (principal: UserPrincipal, change: ProfileChange, origin: Origin): Promise<UserRow> => {
    const updated = await changeCaller(mechanisms, principal, change, origin)
    if (change.email !== undefined) mechanisms.notifyJobs()
    return updated
  }

/**
 * @throws {InvalidInput} for text that is not a username
 * @throws {Problem} `username_taken`, `token_revoked`
 */
export const changeUsername =
  (mechanisms: Mechanisms) =>
  async (principal: UserPrincipal, typed: string, origin: Origin): Promise<UserRow> =>
    refuseTakenNames(changeCaller(mechanisms, principal, { username: readUsername(typed) }, origin))

async function changeCaller(
  { revoking, requireUser, loginRules }: Mechanisms,
  principal: UserPrincipal,
  change: UserChange,
  origin: Origin
): Promise<UserRow> {
  const { id } = await requireUser(principal)
  return revoking(async (tx, revoked) => {
    const locked = await lockUser(tx, { id })
    if (locked === undefined) throw new Problem('token_revoked')
    const changed = await changeLockedUser(tx, revoked, locked, change, origin, loginRules, 'when verified')
    const isNew = changed.usernameKey !== locked.user.usernameKey
    if (loginRules.requireVerifiedEmail && isNew && !(await holdUsername(tx, changed.usernameKey, 'not at all'))) {
      throw new Problem('username_taken')
    }
    return changed
  })
}
