import type { Db } from '../database/database.ts'
import { createRequest, verificationRequest } from '../email-links/requests.ts'
import { Problem } from '../errors.ts'
import type { Origin } from '../origin.ts'
import type { Hasher } from '../passwords/hasher.ts'
import { replacePasswordHash } from '../repositories/user-passwords.ts'
import type { UserRow } from '../repositories/users.ts'
import type { Attempt, PasswordAttempts, Place } from '../throttling/password-attempts.ts'
import type { Authentication } from './authentication.ts'

export interface PasswordFactorOptions {
  db: Db
  passwords: Hasher
  attempts: PasswordAttempts
  /** Whether users can log in only once their address is verified. */
  requireVerifiedEmail: boolean
  /** Called when a job was committed. */
  notifyJobs: () => void
}

export type PasswordFactor = ReturnType<typeof createPasswordFactor>

/** Proof by password: the one place where one is checked. */
export function createPasswordFactor({
  db,
  passwords,
  attempts,
  requireVerifiedEmail,
  notifyJobs
}: PasswordFactorOptions) {
  return {
    /**
     * Proves who logs in, by username or e-mail address.
     * @throws {Problem} `rate_limited`, `overloaded`, or `invalid_credentials`: the same answer, count and statements whether
     * the user is unknown, disabled or the password wrong, or the address unverified where it must be verified. With the
     * right password the link to verify it is mailed again then
     */
    async identify(login: string, password: string, place: Place, origin: Origin): Promise<Authentication> {
      const attempt = await attempts.begin(login, place)
      const matches = await passwords.verify(attempt.user?.passwordHash, password, attempt.from)
      const user = matches && attempt.user?.isDisabled === false ? attempt.user : undefined
      if (user === undefined || (requireVerifiedEmail && !user.emailVerified)) {
        const request = user === undefined ? nothing(origin) : verificationRequest(user, origin)
        await attempts.failed(attempt, origin, requireVerifiedEmail ? request : undefined)
        if (requireVerifiedEmail) notifyJobs()
        throw new Problem('invalid_credentials')
      }
      await strengthenHash(user, password)
      return proven(user, attempt)
    },

    /**
     * Proves again who uses a session.
     * @throws {Problem} `invalid_credentials`, `rate_limited`, `overloaded`
     */
    async confirm(user: UserRow, sessionId: string, password: string, origin: Origin): Promise<Authentication> {
      const attempt = await attempts.beginAgain(user, sessionId)
      if (!(await passwords.verify(user.passwordHash, password, attempt.from))) {
        await attempts.failed(attempt, origin)
        throw new Problem('invalid_credentials')
      }
      return proven(user, attempt)
    }
  }

  function proven(user: UserRow, attempt: Attempt): Authentication {
    return { user, methods: ['pwd'], complete: (tx) => attempts.succeeded(tx, attempt) }
  }

  /** Hashes the password anew at the present cost. A failure must not keep anyone from logging in. */
  async function strengthenHash(user: UserRow, password: string): Promise<void> {
    if (user.passwordHash === null || !passwords.needsRehash(user.passwordHash)) return
    try {
      await replacePasswordHash(db, user, await passwords.hash(password))
    } catch {
      // The next login tries again.
    }
  }
}

/** A request for nothing, which takes as long to add as any other (CWE-208). */
const nothing = (origin: Origin) => createRequest('email_verification_request', '', origin)
