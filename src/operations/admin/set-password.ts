import { mailNotice } from '../../email-links/links.ts'
import { Problem } from '../../errors.ts'
import type { Mechanisms } from '../../mechanisms.ts'
import type { Origin } from '../../origin.ts'
import { checkPassword } from '../../passwords/policy.ts'
import { recordEvent } from '../../repositories/audit-events.ts'
import { deleteLinks } from '../../repositories/email-links.ts'
import { deleteSessions } from '../../repositories/sessions.ts'
import { changePasswordHash } from '../../repositories/user-passwords.ts'
import { requireUserById, type UserRow } from '../../repositories/users.ts'
import { ofSessions } from '../../revocation/transaction.ts'
import { lockExistingUser } from '../../users/changes.ts'

/**
 * Sets a user's password on behalf of an operator. Every session of the user ends, mailed links are void, failed attempts are
 * forgotten, and the user is told by mail.
 * @throws {InvalidInput} for a password that the policy refuses
 * @throws {Problem} `not_found`, `overloaded`
 */
export const setPassword =
  ({ db, revoking, passwords, passwordPolicy, attempts, loginRules, notifyJobs }: Mechanisms) =>
  async (userId: number, password: string, origin: Origin): Promise<UserRow> => {
    await checkPassword(password, await requireUserById(db, userId), passwordPolicy)
    const passwordHash = await passwords.hash(password)
    const changed = await revoking(async (tx, revoked) => {
      await attempts.forget(tx, userId)
      const { user } = await lockExistingUser(tx, { id: userId }, origin, loginRules)
      const changed = await changePasswordHash(tx, user, passwordHash)
      if (changed === undefined) throw new Problem('not_found')
      await deleteLinks(tx, userId)
      revoked.push(...ofSessions(await deleteSessions(tx, userId, 'all')))
      await mailNotice(tx, changed, 'password_changed', origin.language, origin)
      await recordEvent(tx, origin, { type: 'user.password_changed', userId })
      return changed
    })
    notifyJobs()
    return changed
  }
