import type { Db } from '../database/database.ts'
import { findJob, type Job, listLatestJobs } from '../repositories/jobs.ts'
import type { ComposedMail, ComposeMail } from './composer.ts'
import { mailKind } from './enqueue.ts'

/** A mail that waits, as it would be sent: with its link, which is as good as a password. */
export interface WaitingMail extends ComposedMail {
  id: number
  createdAt: Date
}

export type Mailbox = ReturnType<typeof createMailbox>

/** The mails that wait because there is no mail server, for a developer to read. */
export function createMailbox(db: Db, compose: ComposeMail) {
  const show = (job: Job): WaitingMail => ({ ...compose(job), id: job.id, createdAt: job.createdAt })
  return {
    /** The latest first. */
    list: async (limit: number): Promise<WaitingMail[]> => (await listLatestJobs(db, mailKind, limit)).map(show),
    async find(id: number): Promise<WaitingMail | undefined> {
      const job = await findJob(db, mailKind, id)
      return job && show(job)
    }
  }
}
