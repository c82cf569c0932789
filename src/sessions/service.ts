import { noRequest, verificationRequest } from '../accounts/requests.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import { Problem } from '../errors.ts'
import type { PasswordAttempts } from '../throttling/password-attempts.ts'
import type { Hasher } from '../passwords/hasher.ts'
import { requireActor } from '../repositories/actors.ts'
import { type InRevokingTransaction, ofSessions } from '../revocation/transaction.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import type { Device, DeviceTokens } from '../tokens/device-token.ts'
import type { RefreshTokens } from '../tokens/refresh-token.ts'
import type { UserRow } from '../repositories/users.ts'
import { markLogin, replacePasswordHash } from '../repositories/user-passwords.ts'
import {
  deleteSession,
  deleteSessions,
  deleteSurplusSessions,
  findSessions,
  insertSession
} from '../repositories/sessions.ts'
import type { SessionLimits } from '../config/config.ts'
import {
  deleteReusedSession,
  isPredecessor,
  prepareRotateSession,
  type RotateSession
} from '../repositories/session-rotation.ts'
import type { IssuePair, TokenPair } from '../tokens/token-pair.ts'
import type { UnansweredRefreshes } from './unanswered-refreshes.ts'

export interface Credentials {
  /** The username or the e-mail address. */
  username: string
  password: string
}

/** What a client that logs in shows to be known by. */
export interface KnownBy {
  refreshToken?: string | undefined
  device?: Device | undefined
}

export interface SessionsOptions {
  db: Db
  passwords: Hasher
  attempts: PasswordAttempts
  devices: DeviceTokens
  issuePair: IssuePair
  refreshTokens: RefreshTokens
  unanswered: UnansweredRefreshes
  inRevokingTransaction: InRevokingTransaction
  limits: SessionLimits
  /** Whether only who has verified their address may log in, and refresh. */
  requireVerifiedEmail: boolean
  /** Called when mail was committed to the outbox. */
  onMail: () => void
}

export type Sessions = ReturnType<typeof createSessions>

/** The oldest of a user's sessions ends when there are more. */
export const mostSessionsPerUser = 100

export function createSessions({
  db,
  passwords,
  attempts,
  devices,
  issuePair,
  refreshTokens,
  unanswered,
  inRevokingTransaction,
  limits,
  requireVerifiedEmail,
  onMail
}: SessionsOptions) {
  const rotateSession = shareRotations(
    unanswered.rotating(prepareRotateSession(db, limits, requireVerifiedEmail)),
    limits
  )

  return {
    /**
     * Starts a session.
     * @param known what the client still has of an earlier session or login: it shows a device of the user's
     * @throws {Problem} `rate_limited`, or `invalid_credentials`, the same answer, count and statements whether the user is
     * unknown, disabled or the password wrong, or the address not verified where it must be: the link is mailed again
     * then, to whom had the right password
     */
    async logIn(credentials: Credentials, origin: Origin, known: KnownBy = {}): Promise<TokenPair> {
      const { refreshToken = '', device } = known
      const sessionId = refreshTokens.read(refreshToken)?.sessionId
      const attempt = await attempts.begin(credentials.username, { address: origin.ip, sessionId, device })
      const matches = await passwords.verify(attempt.user?.passwordHash, credentials.password, attempt.from)
      const user = matches && attempt.user?.isDisabled === false ? attempt.user : undefined
      if (user === undefined || (requireVerifiedEmail && !user.emailVerified)) {
        const request = user === undefined ? noRequest(origin) : verificationRequest(user, origin)
        await attempts.failed(attempt, origin, requireVerifiedEmail ? request : undefined)
        if (requireVerifiedEmail) onMail()
        throw new Problem('invalid_credentials')
      }
      await strengthenHash(user, credentials.password)
      return inRevokingTransaction(async (tx) => {
        await attempts.succeeded(tx, attempt)
        const current = await markLogin(tx, user)
        if (current === undefined) throw new Problem('invalid_credentials')
        const session = await insertSession(tx, { user, methods: ['pwd'] }, origin, limits)
        const surplus = await deleteSurplusSessions(tx, user.id, mostSessionsPerUser)
        await recordEvent(tx, { ...origin, actorId: user.id }, { type: 'user.logged_in', userId: user.id })
        const pair = issuePair(current, session)
        return { revoked: ofSessions(surplus), result: { ...pair, device: devices.issue(current, device) } }
      })
    },

    /**
     * Rotates a refresh token. The one before it, within the reuse interval, gets the very same successor;
     * an older one ends the session, and that is committed although the request fails (RFC 9700 §4.14.2).
     * @throws {Problem} `refresh_token_invalid`, `refresh_token_reused`; `unavailable` shortly after an outage, where it is
     * not known yet whether the predecessor's use was answered
     */
    async refresh(token: string, origin: Origin): Promise<TokenPair> {
      const presented = refreshTokens.read(token)
      if (presented === undefined) throw new Problem('refresh_token_invalid')
      const session = await rotateSession(presented)
      if (session !== undefined) return issuePair(session.user, session)
      if (unanswered.mayArrive() && (await isPredecessor(db, presented))) throw new Problem('unavailable')
      const reused = await inRevokingTransaction(async (tx) => {
        const userId = await deleteReusedSession(tx, presented, limits)
        if (userId === undefined) return { revoked: [], result: false }
        const details = { session_id: presented.sessionId }
        await recordEvent(tx, origin, { type: 'session.reuse_detected', userId, details })
        return { revoked: ofSessions([presented.sessionId]), result: true }
      })
      throw new Problem(reused ? 'refresh_token_reused' : 'refresh_token_invalid')
    },

    /** The session of a refresh token, whether it is the latest or not. */
    sessionOf: (refreshToken: string): string | undefined => refreshTokens.read(refreshToken)?.sessionId,

    /** What an authentic refresh token says, whether it is good or not. */
    claimsOf: refreshTokens.read,

    /** Ends sessions. One that has ended already is no fault. */
    async logOut(sessionIds: Iterable<string>, origin: Origin): Promise<void> {
      for (const sessionId of sessionIds) {
        await inRevokingTransaction(async (tx) => {
          const userId = await deleteSession(tx, sessionId)
          if (userId === undefined) return { revoked: [], result: undefined }
          await recordEvent(tx, { ...origin, actorId: userId }, { type: 'user.logged_out', userId })
          return { revoked: ofSessions([sessionId]), result: undefined }
        })
      }
    },

    list: (principal: UserPrincipal) => findSessions(db, principal.userId, limits),

    /** Ends one of the caller's sessions. @throws {Problem} `not_found`, for another user's too */
    async revoke(principal: UserPrincipal, sessionId: string, origin: Origin): Promise<void> {
      if (!(await revokeSessions(principal, { only: sessionId }, origin))) throw new Problem('not_found')
    },

    /** Ends every session of the caller's but the present one. */
    async revokeOthers(principal: UserPrincipal, origin: Origin): Promise<void> {
      await revokeSessions(principal, { except: principal.sessionId }, origin)
    }
  }

  function revokeSessions(
    { userId, sessionId }: UserPrincipal,
    which: { only: string } | { except: string },
    origin: Origin
  ): Promise<boolean> {
    return inRevokingTransaction(async (tx) => {
      const ended = await deleteSessions(tx, userId, which)
      // Who ends the session that they use has just proved that it was there.
      if (!ended.includes(sessionId)) await requireActor(tx, origin)
      if (ended.length > 0) {
        await recordEvent(
          tx,
          { ...origin, actorId: userId },
          { type: 'session.revoked', userId, details: { session_ids: ended } }
        )
      }
      return { revoked: ofSessions(ended), result: ended.length > 0 }
    })
  }

  /** Brings an old hash to the present cost. A failure must not keep anyone from logging in. */
  async function strengthenHash(user: UserRow, password: string): Promise<void> {
    if (user.passwordHash === null || !passwords.needsRehash(user.passwordHash)) return
    try {
      const passwordHash = await passwords.hash(password)
      await replacePasswordHash(db, user, passwordHash)
    } catch {
      // The next login tries again.
    }
  }
}

/**
 * One statement for a token that comes many times at once, as from the tabs of a browser: each would wait for the
 * same row, on a connection of its own. Where no token may come twice, nothing is shared.
 */
function shareRotations(rotate: RotateSession, limits: SessionLimits): RotateSession {
  if (limits.reuseInterval === 0) return rotate
  const underWay = new Map<string, ReturnType<RotateSession>>()
  return (presented) => {
    const key = `${presented.sessionId} ${String(presented.counter)}`
    const shared = underWay.get(key)
    if (shared !== undefined) return shared
    const rotation = rotate(presented).finally(() => underWay.delete(key))
    underWay.set(key, rotation)
    return rotation
  }
}
