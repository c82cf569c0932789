import { recordEvent } from '../repositories/audit-events.ts'
import type { Origin } from '../origin.ts'
import { deleteLinks, noticeTo } from '../accounts/links.ts'
import { Problem } from '../errors.ts'
import type { Attempt, PasswordAttempts } from '../throttling/password-attempts.ts'
import { insertMail } from '../mail/outbox.ts'
import type { Hasher } from '../passwords/hasher.ts'
import { checkPassword, type PasswordPolicy } from '../passwords/policy.ts'
import { requireActor } from '../repositories/actors.ts'
import { type InRevokingTransaction, ofSessions } from '../revocation/transaction.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import type { Device, DeviceTokens } from '../tokens/device-token.ts'
import type { FindUserOfToken } from '../repositories/users-by-token.ts'
import type { UserRow } from '../repositories/users.ts'
import { changePasswordHash } from '../repositories/user-passwords.ts'
import type { Authentication } from './authentication.ts'
import { deleteSessions, insertSession, refreshProof } from '../repositories/sessions.ts'
import type { SessionLimits } from '../config/config.ts'
import type { IssuePair, TokenPair } from '../tokens/token-pair.ts'

export interface PasswordChange {
  current_password: string
  new_password: string
}

export interface ProofOptions {
  passwords: Hasher
  attempts: PasswordAttempts
  devices: DeviceTokens
  findUserOfToken: FindUserOfToken
  passwordPolicy: PasswordPolicy
  inRevokingTransaction: InRevokingTransaction
  issuePair: IssuePair
  limits: SessionLimits
  /** Called when mail was committed to the outbox. */
  onMail: () => void
}

export type Proof = ReturnType<typeof createProof>

/** An authentication, and the attempt that it is to end in the transaction that acts on it. */
type Proved = Authentication & { attempt: Attempt }

/** Users who are logged in prove again who they are, and what takes such a proof. */
export function createProof({
  passwords,
  attempts,
  devices,
  findUserOfToken,
  passwordPolicy,
  inRevokingTransaction,
  issuePair,
  limits,
  onMail
}: ProofOptions) {
  return {
    byPassword,

    /**
     * Renews the session's proof, for what asks for a recent one (RFC 9470).
     * @returns the same session's tokens: the refresh token that is good now, and an access token with a new `auth_time`
     * @throws {Problem} `invalid_credentials`, `rate_limited`, `token_revoked`, `overloaded`
     */
    async reauthenticate(principal: UserPrincipal, password: string, origin: Origin): Promise<TokenPair> {
      const proved = await byPassword(principal, password, origin)
      return inRevokingTransaction(async (tx) => {
        await attempts.succeeded(tx, proved.attempt)
        await requireActor(tx, origin)
        const session = await refreshProof(tx, principal.sessionId, proved, limits)
        if (session === undefined) throw new Problem('token_revoked')
        await recordEvent(tx, origin, { type: 'user.reauthenticated', userId: proved.user.id })
        return { revoked: [], result: issuePair(proved.user, session) }
      })
    },

    /**
     * Sets another password. Every session ends, this one too: who shares it must not keep it. A new one takes its place.
     * Of the devices that were known only this one still is.
     * @throws {Problem} `invalid_credentials` for a wrong present password, `rate_limited`, `validation_failed`,
     * `token_revoked`, `overloaded`
     */
    async changePassword(
      principal: UserPrincipal,
      change: PasswordChange,
      origin: Origin,
      device?: Device
    ): Promise<TokenPair> {
      const proved = await byPassword(principal, change.current_password, origin)
      const { user, attempt } = proved
      await checkPassword(change.new_password, user, passwordPolicy, '/body/new_password')
      const passwordHash = await passwords.hash(change.new_password, 'known')
      const pair = await inRevokingTransaction(async (tx) => {
        await attempts.succeeded(tx, attempt)
        await attempts.forget(tx, user.id)
        const changed = await changePasswordHash(tx, user, passwordHash)
        if (changed === undefined) throw new Problem('invalid_credentials')
        await requireActor(tx, origin)
        await deleteLinks(tx, user.id)
        const ended = await deleteSessions(tx, user.id, 'all')
        const session = await insertSession(tx, proved, origin, limits)
        await insertMail(tx, noticeTo(changed, 'password_changed', origin.language), origin)
        await recordEvent(tx, origin, { type: 'user.password_changed', userId: user.id })
        const result = { ...issuePair(changed, session), device: devices.issue(changed, device) }
        return { revoked: ofSessions(ended), result }
      })
      onMail()
      return pair
    }
  }

  /** @throws {Problem} `invalid_credentials`, `rate_limited`, `token_revoked`, `overloaded` */
  async function byPassword(principal: UserPrincipal, password: string, origin: Origin): Promise<Proved> {
    const user = await requireUser(principal)
    const attempt = await attempts.beginAgain(user, principal.sessionId)
    if (!(await passwords.verify(user.passwordHash, password, attempt.from))) {
      await attempts.failed(attempt, origin)
      throw new Problem('invalid_credentials')
    }
    return { user, methods: ['pwd'], attempt }
  }

  async function requireUser(principal: UserPrincipal): Promise<UserRow> {
    const user = await findUserOfToken(principal)
    if (user === undefined) throw new Problem('token_revoked')
    return user
  }
}
