import { Problem } from '../errors.ts'
import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { requireActor } from '../repositories/actors.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { deleteSessions, findSessions } from '../repositories/sessions.ts'
import { ofSessions } from '../revocation/transaction.ts'
import type { UserPrincipal } from '../tokens/claims.ts'

/** The caller's sessions. */
export const listSessions =
  ({ db, sessionLimits }: Mechanisms) =>
  ({ userId }: UserPrincipal) =>
    findSessions(db, userId, sessionLimits)

/** Ends one of the caller's sessions. @throws {Problem} `not_found`, for another user's too */
export const endSession =
  (mechanisms: Mechanisms) =>
  async (principal: UserPrincipal, sessionId: string, origin: Origin): Promise<void> => {
    if (!(await endSessions(mechanisms, principal, { only: sessionId }, origin))) throw new Problem('not_found')
  }

/** Ends every session of the caller's except the present one. */
export const endOtherSessions =
  (mechanisms: Mechanisms) =>
  async (principal: UserPrincipal, origin: Origin): Promise<void> => {
    await endSessions(mechanisms, principal, { except: principal.sessionId }, origin)
  }

const endSessions = (
  { revoking }: Mechanisms,
  { userId, sessionId }: UserPrincipal,
  which: { only: string } | { except: string },
  origin: Origin
): Promise<boolean> =>
  revoking(async (tx, revoked) => {
    const ended = await deleteSessions(tx, userId, which)
    // To end the session that the caller uses has just proved that it was there.
    if (!ended.includes(sessionId)) await requireActor(tx, origin)
    if (ended.length === 0) return false
    const event = { type: 'session.revoked', userId, details: { session_ids: ended } } as const
    await recordEvent(tx, { ...origin, actorId: userId }, event)
    revoked.push(...ofSessions(ended))
    return true
  })
