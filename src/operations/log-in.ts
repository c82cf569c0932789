import { Problem } from '../errors.ts'
import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { deleteSurplusSessions, insertSession } from '../repositories/sessions.ts'
import { markLogin } from '../repositories/user-passwords.ts'
import { ofSessions } from '../revocation/transaction.ts'
import type { Device } from '../tokens/device-token.ts'
import type { TokenPair } from '../tokens/token-pair.ts'

export interface Credentials {
  /** The username or the e-mail address. */
  username: string
  password: string
}

/** What a client shows of earlier sessions and logins: it tells a device of the user's from a stranger's. */
export interface KnownBy {
  refreshToken?: string | undefined
  device?: Device | undefined
}

/** The least recently used of a user's sessions end when there are more. */
export const maxSessionsPerUser = 100

/**
 * Starts a session.
 * @throws {Problem} `rate_limited`, `invalid_credentials`, `overloaded`, as `PasswordFactor.identify` does
 */
export const logIn =
  ({ revoking, passwordFactor, tokens, issuePair, sessionLimits }: Mechanisms) =>
  async ({ username, password }: Credentials, origin: Origin, known: KnownBy = {}): Promise<TokenPair> => {
    const { refreshToken = '', device } = known
    const place = { address: origin.ip, sessionId: tokens.refresh.read(refreshToken)?.sessionId, device }
    const authentication = await passwordFactor.identify(username, password, place, origin)
    return revoking(async (tx, revoked) => {
      await authentication.complete(tx)
      const user = await markLogin(tx, authentication.user)
      if (user === undefined) throw new Problem('invalid_credentials')
      const session = await insertSession(tx, user.id, authentication.methods, origin, sessionLimits)
      revoked.push(...ofSessions(await deleteSurplusSessions(tx, user.id, maxSessionsPerUser)))
      await recordEvent(tx, { ...origin, actorId: user.id }, { type: 'user.logged_in', userId: user.id })
      return { ...issuePair(user, session), device: tokens.devices.issue(user, device) }
    })
  }
