import fp from 'fastify-plugin'
import { requestKinds } from '../src/email-links/requests.ts'
import { deleteVoidJobs } from '../src/repositories/jobs.ts'
import { adoptOutbox } from '../src/repositories/outbox.ts'
import { sweep } from '../src/repositories/expired-rows.ts'

// Milliseconds between sweeps; each instance waits a little longer or shorter, so that they do not march in step.
const interval = 60_000

/** Mails that are kept for "gatehouse outbox" where there is no mail server. */
const maxUnsent = 10_000
const jitter = () => interval * (0.75 + Math.random() / 2)

/** Every instance sweeps; there is no scheduler to operate. */
export default fp(
  async function sweeper(app) {
    let timer = setTimeout(run, jitter()).unref()
    app.addHook('onClose', async () => {
      clearTimeout(timer)
    })

    /** Before what their links are made of, with which they would go unnoticed. */
    async function sweepMails(): Promise<void> {
      const most = app.config.mail.smtpUrl === undefined ? maxUnsent : Infinity
      await adoptOutbox(app.database.db, requestKinds)
      const mails = await deleteVoidJobs(app.database.db, most)
      if (mails > 0) app.log.warn({ mails }, 'mails given up: they could not be delivered while they were of use')
    }

    async function sweepAccounts(): Promise<void> {
      const { unverifiedAccounts: days } = app.config
      const accounts = days === undefined ? 0 : await app.operations.expireAccounts(days)
      if (accounts > 0) app.log.info({ accounts }, 'accounts deleted: nobody has verified them or logged in to them')
    }

    function run(): void {
      sweepMails()
        .then(sweepAccounts)
        .then(() => sweep(app.database.db, { auditRetention: app.config.auditRetention }))
        .catch((error: unknown) => {
          app.log.warn({ err: error }, 'expired rows were not swept')
        })
        .finally(() => {
          timer = setTimeout(run, jitter()).unref()
        })
    }
  },
  { name: 'sweeper', dependencies: ['config', 'database', 'operations'] }
)
