import fp from 'fastify-plugin'
import { createDenials, type Denials } from '../src/audit/access-denials.ts'

declare module 'fastify' {
  interface FastifyInstance {
    denials: Denials
  }
}

// Milliseconds.
const interval = 60_000

/** Keeps denials in the audit, counted by the minute. */
export default fp(
  async function denialsPlugin(app) {
    const denials = createDenials(app.database.db)
    app.decorate('denials', denials)
    const timer = setInterval(() => void flush(), interval).unref()
    app.addHook('onClose', async () => {
      clearInterval(timer)
      await flush()
    })

    async function flush(): Promise<void> {
      try {
        await denials.flush()
      } catch (error) {
        app.log.warn({ err: error }, 'how often callers were denied could not be written')
      }
    }
  },
  { name: 'denials', dependencies: ['database'] }
)
