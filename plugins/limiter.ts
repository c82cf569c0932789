import fp from 'fastify-plugin'
import { createLimiter, type Limiter, noLimiter } from '../src/throttling/limiter.ts'

declare module 'fastify' {
  interface FastifyInstance {
    limiter: Limiter
  }
}

export default fp(
  async function limiter(app) {
    const { database, config } = app
    app.decorate('limiter', config.rateLimit ? createLimiter(database.db, config.limits, warn) : noLimiter)

    function warn(error: unknown): void {
      app.log.warn({ err: error }, 'limits are counted by each instance for itself: their table cannot be used')
    }
  },
  { name: 'limiter', dependencies: ['config', 'database'] }
)
