import fp from 'fastify-plugin'
import { requestHandler, requestKinds } from '../src/email-links/requests.ts'
import { createPwnedCheck } from '../src/passwords/pwned.ts'
import { createServices, type Services } from '../src/services.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the service does, an operation a function. */
    operations: Services
  }
}

/** The domain, put together from what the other plugins provide. */
export default fp(
  async function operations(app) {
    const { config, passwords, tokens, revocations, limiter, jobs } = app
    const { db } = app.database
    const { pwnedPasswordsUrl } = config
    const services = createServices({
      config,
      db,
      passwords,
      online: {
        tokens,
        revocations,
        limiter: config.rateLimit ? limiter : undefined,
        isPwned: pwnedPasswordsUrl === undefined ? undefined : createPwnedCheck(pwnedPasswordsUrl, warn),
        notifyJobs: jobs.notify
      }
    })
    app.decorate('operations', services)
    app.addHook('onClose', services.close)
    for (const kind of requestKinds) jobs.handle(kind, requestHandler(kind, config.rateLimit))

    function warn(error: unknown): void {
      app.log.warn(
        { err: error },
        'a password was accepted without a check for known breaches: PWNED_PASSWORDS_URL failed'
      )
    }
  },
  { name: 'operations', dependencies: ['config', 'database', 'passwords', 'jobs', 'jwt', 'limiter', 'revocations'] }
)
