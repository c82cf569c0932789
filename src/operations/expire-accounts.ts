import type { Mechanisms } from '../mechanisms.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { findExpiredUsers, isExpiredUser } from '../repositories/unproven-users.ts'
import { lockUser } from '../repositories/user-locks.ts'
import { removeUser } from '../users/removal.ts'

/**
 * Deletes accounts that nobody has ever verified or logged in to, so that nobody keeps a stranger's address for good.
 * Accounts that somebody else created (by import, invitation or the command line) stay, and so do those with a role beyond
 * that of every user. Instances may do this at the same time.
 * @param days since their registration
 * @returns how many were deleted
 */
export const expireAccounts =
  ({ db, revoking, loginRules }: Mechanisms) =>
  async (days: number): Promise<number> => {
    let deleted = 0
    for (const { id } of await findExpiredUsers(db, days)) {
      deleted += await revoking(async (tx, revoked) => {
        const isExpired = (await lockUser(tx, { id })) && (await isExpiredUser(tx, id, days))
        if (!isExpired) return 0
        await removeUser(tx, revoked, { id }, {}, loginRules)
        await recordEvent(tx, {}, { type: 'user.expired', userId: id })
        return 1
      })
    }
    return deleted
  }
