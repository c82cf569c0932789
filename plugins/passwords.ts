import fp from 'fastify-plugin'
import { createHasher, type Hasher } from '../src/passwords/hasher.ts'

declare module 'fastify' {
  interface FastifyInstance {
    passwords: Hasher
  }
}

export default fp(
  async function passwords(app) {
    const hasher = createHasher(app.config.argon2, () => {
      app.log.error('a stored password hash cannot be read: reset the password of the user who fails to log in')
    })
    app.decorate('passwords', hasher)
    app.addHook('onClose', () => hasher.close())
  },
  { name: 'passwords', dependencies: ['config'] }
)
