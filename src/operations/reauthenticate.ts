import { Problem } from '../errors.ts'
import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { requireActor } from '../repositories/actors.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { refreshProof } from '../repositories/sessions.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import type { TokenPair } from '../tokens/token-pair.ts'

/**
 * Makes the caller's session fresh again, for what asks for recent proof (RFC 9470).
 * @returns the same session's tokens: the refresh token that is good now, and an access token with a new `auth_time`
 * @throws {Problem} `invalid_credentials`, `rate_limited`, `token_revoked`, `overloaded`
 */
export const reauthenticate =
  ({ revoking, requireUser, passwordFactor, issuePair, sessionLimits }: Mechanisms) =>
  async (principal: UserPrincipal, password: string, origin: Origin): Promise<TokenPair> => {
    const { sessionId } = principal
    const authentication = await passwordFactor.confirm(await requireUser(principal), sessionId, password, origin)
    const { user, methods } = authentication
    return revoking(async (tx) => {
      await authentication.complete(tx)
      await requireActor(tx, origin)
      const session = await refreshProof(tx, sessionId, user.id, methods, sessionLimits)
      if (session === undefined) throw new Problem('token_revoked')
      await recordEvent(tx, origin, { type: 'user.reauthenticated', userId: user.id })
      return issuePair(user, session)
    })
  }
