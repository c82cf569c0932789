import fp from 'fastify-plugin'
import { createComposer } from '../src/mail/composer.ts'
import { mailHandler } from '../src/mail/delivery.ts'
import { mailKind } from '../src/mail/enqueue.ts'
import { readTemplates } from '../src/mail/templates.ts'

/** Sends mails beside the requests that ask for them. Without a mail server they wait as jobs. */
export default fp(
  async function mail(app) {
    const { mail: settings } = app.config
    const compose = createComposer(settings, readTemplates(settings.templatesDir), app.tokens.links)
    if (settings.smtpUrl === undefined) return
    // What sends is loaded only where it is used.
    const { createSmtp } = await import('../src/mail/transport.ts')
    app.jobs.handle(mailKind, mailHandler(compose, createSmtp(settings.smtpUrl)))
  },
  { name: 'mail', dependencies: ['config', 'jobs', 'jwt'] }
)
