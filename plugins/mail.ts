import fp from 'fastify-plugin'
import { answerRequest } from '../src/accounts/requests.ts'
import { createComposer } from '../src/mail/composer.ts'
import { type Delivery, startDelivery } from '../src/mail/delivery.ts'
import { readTemplates } from '../src/mail/templates.ts'
import { createAccountTokens } from '../src/tokens/link-token.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Delivers what is in the outbox. `kick` it when something was committed there, or it takes up to a second. */
    mail: Pick<Delivery, 'kick'>
  }
}

/** Mail goes out beside the requests that ask for it: whether a mail server answers is nothing to them. */
export default fp(
  async function mail(app) {
    const { mail: settings } = app.config
    const { db } = app.database
    const compose = createComposer(settings, readTemplates(settings.templatesDir), createAccountTokens(app.keyring))
    // What sends is loaded only where it is used.
    const { smtpUrl } = settings
    const send = smtpUrl === undefined ? undefined : (await import('../src/mail/transport.ts')).createSmtp(smtpUrl)
    let delivery: Delivery | undefined
    app.decorate('mail', { kick: () => delivery?.kick() })
    app.addHook('onReady', async () => {
      delivery = startDelivery({
        db,
        compose,
        send,
        answerRequest: (row) => answerRequest(db, row, app.config.rateLimit),
        report: (level, what, message) => {
          app.log[level](what, message)
        }
      })
    })
    app.addHook('onClose', () => delivery?.close())
  },
  { name: 'mail', dependencies: ['config', 'database', 'jwt'] }
)
