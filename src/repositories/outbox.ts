import { asc, inArray, lte, sql } from 'drizzle-orm'
import { batchSize, inBatches } from '../database/batches.ts'
import type { Db } from '../database/database.ts'
import { jobs, outbox } from '../database/schema/index.ts'
import type { NewJob } from './jobs.ts'

/**
 * Turns mails and requests that instances of version 0.1 left in the outbox into jobs. What such an instance is working on
 * is leased, and stays.
 * @param requests templates that ask for something, each the kind of its job
 */
export async function adoptOutbox(db: Db, requests: readonly string[]): Promise<void> {
  await inBatches(() =>
    db.transaction(async (tx) => {
      const due = tx
        .select({ id: outbox.id })
        .from(outbox)
        .where(lte(outbox.nextAttemptAt, sql`now()`))
        .orderBy(asc(outbox.id))
        .limit(batchSize)
        .for('update', { skipLocked: true })
      const rows = await tx.delete(outbox).where(inArray(outbox.id, due)).returning()
      if (rows.length > 0) await tx.insert(jobs).values(rows.map((row) => toJob(row, requests)))
      return rows.length
    })
  )
}

/** A mail keeps its Message-ID, so that a second delivery is recognised as a duplicate. */
function toJob(row: typeof outbox.$inferSelect, requests: readonly string[]): NewJob {
  const { id, recipient, template, language, variables, userId, tokenId, priority, attempts, createdAt } = row
  const messageId = `${String(id)}.${String(createdAt.getTime())}`
  return {
    kind: requests.includes(template) ? template : 'mail',
    payload: { recipient, template, language, message_id: messageId, ...variables },
    userId,
    linkId: tokenId,
    priority,
    attempts,
    createdAt
  }
}
