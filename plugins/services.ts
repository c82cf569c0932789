import fp from 'fastify-plugin'
import { type Clients, createClients } from '../src/clients/service.ts'
import { createRevokingTransaction } from '../src/revocation/transaction.ts'
import { createSessions, type Sessions } from '../src/sessions/service.ts'
import { createRefreshTokens } from '../src/tokens/refresh-token.ts'
import { createFindUserOfToken } from '../src/users/of-token.ts'
import { createUsers, type Users } from '../src/users/service.ts'

declare module 'fastify' {
  interface FastifyInstance {
    users: Users
    sessions: Sessions
    clients: Clients
  }
}

/** The domain, put together from what the other plugins provide. */
export default fp(
  async function services(app) {
    const { config, passwords, accessTokens } = app
    const { db } = app.database
    const inRevokingTransaction = createRevokingTransaction(db, app.revocations)
    const refreshTokens = createRefreshTokens(app.keyring)
    const { passwordMinLength, session: limits } = config
    app.decorate(
      'users',
      createUsers({
        db,
        passwords,
        findUserOfToken: createFindUserOfToken(db),
        passwordMinLength,
        inRevokingTransaction
      })
    )
    app.decorate(
      'sessions',
      createSessions({ db, passwords, accessTokens, refreshTokens, inRevokingTransaction, limits })
    )
    app.decorate('clients', createClients({ db, inRevokingTransaction }))
  },
  { name: 'services', dependencies: ['config', 'database', 'passwords', 'jwt', 'revocations'] }
)
