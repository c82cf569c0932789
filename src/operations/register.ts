import { createRequest, verificationRequest } from '../email-links/requests.ts'
import { Problem } from '../errors.ts'
import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { checkPassword } from '../passwords/policy.ts'
import { recordEventWithJob } from '../repositories/jobs.ts'
import { findHolders, holdUsername } from '../repositories/user-names.ts'
import { deleteUser, insertUserUnlessTaken } from '../repositories/users.ts'
import { listRoles } from '../roles.ts'
import { newUserRow, type Registration } from '../users/creation.ts'

/**
 * Registers a user, who is a reader and nothing else, and mails them a link to verify their address.
 * Where addresses must be verified, a known one looks like a new one, and its owner is told by mail.
 * @throws {InvalidInput}
 * @throws {Problem} `username_taken`, `email_taken`, `overloaded`
 */
export const register =
  ({ db, passwords, passwordPolicy, loginRules, notifyJobs }: Mechanisms) =>
  async ({ password, ...names }: Registration, origin: Origin): Promise<void> => {
    const { requireVerifiedEmail } = loginRules
    const unhashed = newUserRow(names)
    await checkPassword(password, unhashed, passwordPolicy)
    // Hashed whether the name is free or not, so that time does not tell (CWE-208), and outside any transaction.
    const row = { ...unhashed, passwordHash: await passwords.hash(password) }
    await db.transaction(async (tx) => {
      const user = await insertUserUnlessTaken(tx, row)
      // Asked in any case, so that time does not tell (CWE-208), and after the insertion: see `isKeptForAnother`.
      const holders = (await findHolders(tx, row)).filter(({ id }) => id !== user?.id)
      const isCreated = user !== undefined && holders.length === 0
      // In any case, for the same reason.
      const isHeld =
        requireVerifiedEmail && !(await holdUsername(tx, row.usernameKey, isCreated ? 'not at all' : 'for long'))
      if (isHeld || holders.some(({ usernameKey }) => usernameKey === row.usernameKey)) {
        throw new Problem('username_taken')
      }
      if (user !== undefined && !isCreated) await deleteUser(tx, user.id)
      if (isCreated) {
        const event = { type: 'user.registered', userId: user.id, details: { roles: listRoles(user) } } as const
        await recordEventWithJob(tx, origin, event, verificationRequest(user, origin))
      } else {
        const [owner] = holders
        if (!requireVerifiedEmail || owner === undefined) throw new Problem('email_taken')
        const event = { type: 'user.registration_refused', userId: owner.id } as const
        const request = createRequest('registration_attempt_request', row.email, origin, owner.id)
        await recordEventWithJob(tx, origin, event, request)
      }
    })
    notifyJobs()
  }
