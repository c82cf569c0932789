import type { Db } from '../database/database.ts'
import { type JobHandler, JobRefused } from '../jobs/worker.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import type { ComposeMail } from './composer.ts'
import { readMail } from './enqueue.ts'
import { isRefusal, readReason } from './failure.ts'
import { mailPriorities } from './templates.ts'
import type { SendMail } from './transport.ts'

/** Sends mails. A mail that is sent twice has the same Message-ID both times. */
export const mailHandler = (compose: ComposeMail, send: SendMail): JobHandler => ({
  priorities: mailPriorities,
  lease: 15,
  async perform(job, signal) {
    try {
      await send(compose(job), signal)
    } catch (error) {
      throw isRefusal(error) ? new JobRefused('The mail server refuses the mail', { cause: error }) : error
    }
  },
  /** An administrator can see whose mail it was. */
  async onRefused(tx: Db, job, error) {
    const details = { template: readMail(job).template, response: readReason(error).response }
    await recordEvent(tx, {}, { type: 'mail.refused', userId: job.userId ?? undefined, details })
  },
  describe: (job, error) => ({ template: readMail(job).template, ...(error !== undefined && readReason(error)) })
})
