import type { AccessToken, AccessTokens } from '../tokens/access-token.ts'
import type { RefreshTokens } from '../tokens/refresh-token.ts'
import type { TokenSubject } from '../users/queries.ts'
import type { LiveSession } from './queries.ts'

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
