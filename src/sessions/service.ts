import type { Config } from '../config.ts'
import type { Db } from '../database/database.ts'
import { Problem } from '../errors.ts'
import type { Hasher } from '../passwords/hasher.ts'
import type { AccessToken, IssueAccessToken } from '../tokens/access-token.ts'
import { findUserByLogin, replacePasswordHash, type UserRow } from '../users/queries.ts'
import { type Client, deleteSession, insertSession, markLogin } from './queries.ts'

export interface Credentials {
  /** The username or the e-mail address. */
  username: string
  password: string
}

export interface SessionsOptions {
  db: Db
  passwords: Hasher
  issueAccessToken: IssueAccessToken
  session: Config['session']
}

export type Sessions = ReturnType<typeof createSessions>

export function createSessions({ db, passwords, issueAccessToken, session }: SessionsOptions) {
  return {
    /**
     * Starts a session.
     * @throws {Problem} `invalid_credentials`, the same whether the user is unknown, disabled or the password wrong
     */
    async logIn(credentials: Credentials, client: Client): Promise<AccessToken> {
      const user = await findUserByLogin(db, credentials.username)
      const matches = await passwords.verify(user?.passwordHash, credentials.password)
      if (user === undefined || !matches || user.isDisabled) throw new Problem('invalid_credentials')
      await strengthenHash(user, credentials.password)
      return db.transaction(async (tx) => {
        const current = await markLogin(tx, user)
        if (current === undefined) throw new Problem('invalid_credentials')
        return issueAccessToken(current, await insertSession(tx, user.id, client, session.absolute))
      })
    },

    /** Ends a session. One that has ended already is no fault. */
    logOut: (sessionId: string): Promise<void> => deleteSession(db, sessionId)
  }

  /** Brings an old hash to the present cost. A failure must not keep anyone from logging in. */
  async function strengthenHash(user: UserRow, password: string): Promise<void> {
    if (user.passwordHash === null || !passwords.needsRehash(user.passwordHash)) return
    try {
      await replacePasswordHash(db, user, await passwords.hash(password))
    } catch {
      // The next login tries again.
    }
  }
}
