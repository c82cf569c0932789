import fp from 'fastify-plugin'
import { createHasher, type Hasher } from '../src/passwords/hasher.ts'
import { kindOfHash } from '../src/passwords/schemes/index.ts'
import { argon2Prefix } from '../src/passwords/schemes/argon2.ts'
import { findOtherHashes } from '../src/repositories/user-passwords.ts'

declare module 'fastify' {
  interface FastifyInstance {
    passwords: Hasher
  }
}

/** How many hashes are looked at for their kinds. A kind that is not among them is learnt at its first login. */
const sample = 1000

export default fp(
  async function passwords(app) {
    const { argon2 } = app.config
    const hasher = createHasher(argon2, () => {
      app.log.error('a stored password hash cannot be read: reset the password of the user who fails to log in')
    })
    app.decorate('passwords', hasher)
    app.addHook('onClose', () => hasher.close())

    // Beside the first requests: without it the first wrong password for a hash of each kind could be told by its time.
    app.addHook('onListen', () => {
      learnKinds().catch((error: unknown) => {
        app.log.debug({ err: error }, 'the kinds of stored password hashes are learnt as they come')
      })
    })

    async function learnKinds(): Promise<void> {
      const hashes = await findOtherHashes(app.database.db, argon2Prefix(argon2), sample)
      const byKind = new Map(hashes.map((hash) => [kindOfHash(hash), hash]))
      for (const hash of byKind.values()) await hasher.learn(hash)
    }
  },
  { name: 'passwords', dependencies: ['config', 'database'] }
)
