import type { AccessToken, AccessTokens } from './access-token.ts'
import type { RefreshTokens } from './refresh-token.ts'
import type { TokenSubject } from '../repositories/users.ts'
import type { LiveSession } from '../repositories/sessions.ts'

/** What a client gets whenever a session starts or goes on. */
export interface TokenPair {
  access: AccessToken
  refreshToken: string
  /** Seconds. */
  refreshExpiresIn: number
  /** By which the device is known at later logins, where a password was typed on it. */
  device?: string
}

export type IssuePair = (user: TokenSubject, session: LiveSession) => TokenPair

export const createPairs =
  (accessTokens: AccessTokens, refreshTokens: RefreshTokens): IssuePair =>
  (user, session) => ({
    access: accessTokens.issueToUser(user, session),
    refreshToken: refreshTokens.issue(session),
    refreshExpiresIn: session.remaining
  })
