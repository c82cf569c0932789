import type { MailConfig } from '../config/config.ts'
import type { Db } from '../database/database.ts'
import { countJobs, type Job, listJobs } from '../repositories/jobs.ts'
import type { ComposeMail } from './composer.ts'
import { mailKind, readMail } from './enqueue.ts'

// How many waiting mails are counted, at most.
const maxCounted = 1000

type Log = (what: object, message: string) => void
type Describe = (job: Job) => [what: object, message: string]

/** Where a developer or an operator finds the mails that wait. */
export const placeOfWaiting = ({ showsMails }: MailConfig): string => (showsMails ? '/dev/mail' : '"gatehouse outbox"')

/** What the log says of a mail that waits: its number, and the command that prints it. */
export const describeWaiting: Describe = (job) => {
  const { template } = readMail(job)
  return [{ id: job.id, template }, `mail written: "gatehouse outbox show ${String(job.id)}" prints it`]
}

/** What the log of a developer says of it: everything, the link too. */
export const quoteWaiting =
  (compose: ComposeMail): Describe =>
  (job) => {
    const { to, subject, text } = compose(job)
    return [{ id: job.id, template: readMail(job).template }, `mail written to ${to}: ${subject}\n\n${text}`]
  }

/**
 * For a service without a mail server: logs each mail once, as it is written.
 * @param place where those that waited at the start are shown
 */
export function createWaitingReport(db: Db, log: Log, describe: Describe, place: string): () => Promise<void> {
  let lastSeen: number | undefined
  return async () => {
    if (lastSeen === undefined) {
      const { count, last } = await countJobs(db, mailKind, maxCounted)
      lastSeen = last
      const mails = count === maxCounted ? `${String(count)} or more` : count
      if (count > 0) log({ mails }, `mails wait: ${place} shows them`)
      return
    }
    for (const job of await listJobs(db, mailKind, lastSeen, 100)) {
      if (job.id <= lastSeen) continue
      lastSeen = job.id
      log(...describe(job))
    }
  }
}
