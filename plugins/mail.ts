import fp from 'fastify-plugin'
import { createComposer } from '../src/mail/composer.ts'
import { mailHandler } from '../src/mail/delivery.ts'
import { mailKind } from '../src/mail/enqueue.ts'
import { createMailbox, type Mailbox } from '../src/mail/mailbox.ts'
import { readTemplates } from '../src/mail/templates.ts'
import { createWaitingReport, describeWaiting, placeOfWaiting, quoteWaiting } from '../src/mail/waiting.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The mails that wait, for a developer; undefined where nobody may read them. */
    mailbox: Mailbox | undefined
  }
}

/** Sends mails beside the requests that ask for them. Without a mail server they wait as jobs, and the log tells of each. */
export default fp(
  async function mail(app) {
    const { config, database, jobs, log, tokens } = app
    const { smtpUrl, logsMails, showsMails, templatesDir } = config.mail
    const compose = createComposer(config.mail, readTemplates(templatesDir), tokens.links)
    app.decorate('mailbox', showsMails ? createMailbox(database.db, compose) : undefined)
    if (smtpUrl === undefined) {
      const describe = logsMails ? quoteWaiting(compose) : describeWaiting
      jobs.whenIdle(createWaitingReport(database.db, log.info.bind(log), describe, placeOfWaiting(config.mail)))
      return
    }
    // What sends is loaded only where it is used.
    const { createSmtp } = await import('../src/mail/transport.ts')
    jobs.handle(mailKind, mailHandler(compose, createSmtp(smtpUrl)))
  },
  { name: 'mail', dependencies: ['config', 'database', 'jobs', 'jwt'] }
)
