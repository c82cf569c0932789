import { mailNotice } from '../email-links/links.ts'
import { requestByEmail } from '../email-links/requests.ts'
import { refuseLink } from '../factors/email-link.ts'
import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { checkPassword } from '../passwords/policy.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { deleteLinks } from '../repositories/email-links.ts'
import { deleteSessions } from '../repositories/sessions.ts'
import { changePasswordHash } from '../repositories/user-passwords.ts'
import { markEmailVerified } from '../repositories/users.ts'
import { ofSessions } from '../revocation/transaction.ts'

/** Mails a link to set another password, if a user who may log in has the address. Neither time nor outcome tells (CWE-208). */
export const forgotPassword =
  ({ db, notifyJobs }: Mechanisms) =>
  async (email: string, origin: Origin): Promise<void> => {
    await requestByEmail(db, 'password_reset_request', 'user.password_reset_requested', email, origin)
    notifyJobs()
  }

export interface PasswordReset {
  /** Of a link that was mailed. */
  token: string
  newPassword: string
}

/**
 * Sets a password by a link, and ends every session of the user. That the mail came verifies the address. A password that is
 * refused does not use up the link.
 * @throws {InvalidInput} for a link that is not good, or a password that the policy refuses
 * @throws {Problem} `overloaded`
 */
export const resetPassword =
  ({ revoking, emailLink, passwords, passwordPolicy, attempts, notifyJobs }: Mechanisms) =>
  async ({ token, newPassword }: PasswordReset, origin: Origin): Promise<void> => {
    const link = await emailLink(token, 'password_reset', 'invitation')
    const { user } = link
    await checkPassword(newPassword, user, passwordPolicy, 'newPassword')
    const passwordHash = await passwords.hash(newPassword)
    await revoking(async (tx, revoked) => {
      await attempts.forget(tx, user.id)
      const { purpose } = await link.use(tx)
      const changed = await changePasswordHash(tx, user, passwordHash)
      if (changed === undefined || !(await markEmailVerified(tx, user))) throw refuseLink()
      await deleteLinks(tx, user.id)
      revoked.push(...ofSessions(await deleteSessions(tx, user.id, 'all')))
      await mailNotice(tx, changed, 'password_changed', origin.language, origin)
      const type = purpose === 'invitation' ? 'user.invitation_accepted' : 'user.password_reset'
      await recordEvent(tx, origin, { type, userId: user.id })
    })
    notifyJobs()
  }
