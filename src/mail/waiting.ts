import type { Db } from '../database/database.ts'
import { countJobs, listJobs } from '../repositories/jobs.ts'
import { mailKind, readMail } from './enqueue.ts'

// How many waiting mails are counted, at most.
const maxCounted = 1000

/** For a service without a mail server: logs each mail once, as it is written, with the command that prints it. */
export function createWaitingReport(db: Db, log: (what: object, message: string) => void): () => Promise<void> {
  let lastSeen: number | undefined
  return async () => {
    if (lastSeen === undefined) {
      const { count, last } = await countJobs(db, mailKind, maxCounted)
      lastSeen = last
      const mails = count === maxCounted ? `${String(count)} or more` : count
      if (count > 0) log({ mails }, 'mails wait: "gatehouse outbox" shows them')
      return
    }
    for (const job of await listJobs(db, mailKind, lastSeen, 100)) {
      if (job.id <= lastSeen) continue
      lastSeen = job.id
      const { template } = readMail(job)
      log({ id: job.id, template }, `mail written: "gatehouse outbox show ${String(job.id)}" prints it`)
    }
  }
}
