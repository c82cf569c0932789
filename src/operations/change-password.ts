import { mailNotice } from '../email-links/links.ts'
import { Problem } from '../errors.ts'
import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { checkPassword } from '../passwords/policy.ts'
import { requireActor } from '../repositories/actors.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { deleteLinks } from '../repositories/email-links.ts'
import { deleteSessions, insertSession } from '../repositories/sessions.ts'
import { changePasswordHash } from '../repositories/user-passwords.ts'
import { ofSessions } from '../revocation/transaction.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import type { Device } from '../tokens/device-token.ts'
import type { TokenPair } from '../tokens/token-pair.ts'

export interface PasswordChange {
  currentPassword: string
  newPassword: string
}

/**
 * Sets another password. Every session ends, this one too, since somebody may share it; a new one takes its place. Of the
 * devices that were known only this one still is.
 * @throws {InvalidInput} for a password that the policy refuses
 * @throws {Problem} `invalid_credentials` for a wrong present password, `rate_limited`, `token_revoked`, `overloaded`
 */
export const changePassword =
  (mechanisms: Mechanisms) =>
  async (principal: UserPrincipal, change: PasswordChange, origin: Origin, device?: Device): Promise<TokenPair> => {
    const { revoking, requireUser, passwords, passwordFactor, passwordPolicy, attempts } = mechanisms
    const { currentPassword, newPassword } = change
    const caller = await requireUser(principal)
    const authentication = await passwordFactor.confirm(caller, principal.sessionId, currentPassword, origin)
    const { user, methods } = authentication
    await checkPassword(newPassword, user, passwordPolicy, 'newPassword')
    const passwordHash = await passwords.hash(newPassword, 'known')
    const pair = await revoking(async (tx, revoked) => {
      await authentication.complete(tx)
      await attempts.forget(tx, user.id)
      const changed = await changePasswordHash(tx, user, passwordHash)
      if (changed === undefined) throw new Problem('invalid_credentials')
      await requireActor(tx, origin)
      await deleteLinks(tx, user.id)
      revoked.push(...ofSessions(await deleteSessions(tx, user.id, 'all')))
      const session = await insertSession(tx, user.id, methods, origin, mechanisms.sessionLimits)
      await mailNotice(tx, changed, 'password_changed', origin.language, origin)
      await recordEvent(tx, origin, { type: 'user.password_changed', userId: user.id })
      return { ...mechanisms.issuePair(changed, session), device: mechanisms.tokens.devices.issue(changed, device) }
    })
    mechanisms.notifyJobs()
    return pair
  }
