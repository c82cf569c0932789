import fp from 'fastify-plugin'
import { createSessions, type Sessions } from '../src/sessions/service.ts'
import { createUsers, type Users } from '../src/users/service.ts'

declare module 'fastify' {
  interface FastifyInstance {
    users: Users
    sessions: Sessions
  }
}

/** The domain, put together from what the other plugins provide. */
export default fp(
  async function services(app) {
    const { config, passwords, issueAccessToken } = app
    const { db } = app.database
    app.decorate('users', createUsers({ db, passwords, passwordMinLength: config.passwordMinLength }))
    app.decorate('sessions', createSessions({ db, passwords, issueAccessToken, session: config.session }))
  },
  { name: 'services', dependencies: ['config', 'database', 'passwords', 'jwt'] }
)
