import type { SessionLimits } from '../config/config.ts'
import { Problem } from '../errors.ts'
import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import {
  deleteReusedSession,
  isPredecessor,
  prepareRotateSession,
  type RotateSession
} from '../repositories/session-rotation.ts'
import { ofSessions } from '../revocation/transaction.ts'
import type { TokenPair } from '../tokens/token-pair.ts'

/**
 * Rotates a refresh token. Its predecessor, within the reuse interval, gets the very same successor; an older token ends
 * the session, and that is committed although the request fails (RFC 9700 §4.14.2).
 * @throws {Problem} `refresh_token_invalid`, `refresh_token_reused`; `unavailable` shortly after an outage, where it is not
 * known yet whether the predecessor's use was answered
 */
export function refresh({ db, revoking, tokens, unanswered, issuePair, sessionLimits, loginRules }: Mechanisms) {
  const rotate = prepareRotateSession(db, sessionLimits, loginRules.requireVerifiedEmail)
  const rotateSession = shareRotations(unanswered.rotating(rotate), sessionLimits)

  return async (token: string, origin: Origin): Promise<TokenPair> => {
    const presented = tokens.refresh.read(token)
    if (presented === undefined) throw new Problem('refresh_token_invalid')
    const session = await rotateSession(presented)
    if (session !== undefined) return issuePair(session.user, session)
    if (unanswered.mayArrive() && (await isPredecessor(db, presented))) throw new Problem('unavailable')
    const isReused = await revoking(async (tx, revoked) => {
      const userId = await deleteReusedSession(tx, presented, sessionLimits)
      if (userId === undefined) return false
      const details = { session_id: presented.sessionId }
      await recordEvent(tx, origin, { type: 'session.reuse_detected', userId, details })
      revoked.push(...ofSessions([presented.sessionId]))
      return true
    })
    throw new Problem(isReused ? 'refresh_token_reused' : 'refresh_token_invalid')
  }
}

/**
 * One statement for a token that comes many times at once, as from the tabs of a browser: each would wait for the same
 * row, on a connection of its own. Where no token may come twice, nothing is shared.
 */
function shareRotations(rotate: RotateSession, { reuseInterval }: SessionLimits): RotateSession {
  if (reuseInterval === 0) return rotate
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
