import type { AccessToken } from './access-token.ts'
import type { TokenSubject } from '../repositories/users.ts'
import type { LiveSession } from '../repositories/sessions.ts'
import type { Tokens } from './tokens.ts'

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
  ({ access, refresh }: Pick<Tokens, 'access' | 'refresh'>): IssuePair =>
  (user, session) => ({
    access: access.issueToUser(user, session),
    refreshToken: refresh.issue(session),
    refreshExpiresIn: session.remaining
  })
