import fp from 'fastify-plugin'
import { type Accounts, createAccounts } from '../src/accounts/service.ts'
import { createRevokingTransaction } from '../src/revocation/transaction.ts'
import { createSessions, type Sessions } from '../src/sessions/service.ts'
import { createAccountTokens } from '../src/tokens/account-token.ts'
import { createRefreshTokens } from '../src/tokens/refresh-token.ts'
import { createFindUserOfToken } from '../src/users/of-token.ts'
import { createUsers, type Users } from '../src/users/service.ts'

declare module 'fastify' {
  interface FastifyInstance {
    users: Users
    sessions: Sessions
    accounts: Accounts
  }
}

/** The domain, put together from what the other plugins provide. */
export default fp(
  async function services(app) {
    const { config, passwords, issueAccessToken } = app
    const { db } = app.database
    const inRevokingTransaction = createRevokingTransaction(db, app.revocations)
    const refreshTokens = createRefreshTokens(app.keyring)
    const { passwordMinLength, requireVerifiedEmail, session: limits } = config
    const findUserOfToken = createFindUserOfToken(db)
    const onMail = app.mail.kick
    app.decorate(
      'users',
      createUsers({
        db,
        passwords,
        findUserOfToken,
        passwordMinLength,
        inRevokingTransaction,
        requireVerifiedEmail,
        onMail
      })
    )
    app.decorate(
      'sessions',
      createSessions({
        db,
        passwords,
        issueAccessToken,
        refreshTokens,
        inRevokingTransaction,
        limits,
        requireVerifiedEmail,
        onMail
      })
    )
    app.decorate(
      'accounts',
      createAccounts({
        db,
        passwords,
        accountTokens: createAccountTokens(app.keyring),
        findUserOfToken,
        passwordMinLength,
        inRevokingTransaction,
        onMail
      })
    )
  },
  { name: 'services', dependencies: ['config', 'database', 'passwords', 'jwt', 'revocations', 'mail'] }
)
