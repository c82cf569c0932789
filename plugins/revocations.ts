import fp from 'fastify-plugin'
import { type Revocations, startRevocations } from '../src/revocation/revocations.ts'

declare module 'fastify' {
  interface FastifyInstance {
    revocations: Revocations
  }
}

export default fp(
  async function revocations(app) {
    const started = await startRevocations({
      database: app.database,
      accessTokenLifetime: app.config.accessTokenLifetime,
      session: app.config.session,
      onChange(state) {
        if (state === 'lost')
          app.log.warn('notifications lost: revocations are looked up in the database until they are back')
        else app.log.info('notifications of revocations arrive')
      }
    })
    app.decorate('revocations', started)
    app.addHook('onClose', () => started.close())
  },
  { name: 'revocations', dependencies: ['config', 'database', 'bootstrap'] }
)
