import { and, asc, desc, eq, gt, inArray, type SQL } from 'drizzle-orm'
import { maxTransactionAge } from '../config/tolerances.ts'
import { secondsAgo } from '../database/time.ts'
import type { Db } from '../database/database.ts'
import { auditEvents } from '../database/schema/index.ts'
import type { AuditRow } from './audit-event-list.ts'

export interface TailOptions {
  /** How many of the latest come first. */
  lines: number
  type: string | undefined
  /** Called between two looks: resolves to whether to look again. */
  wait: () => Promise<boolean>
}

/**
 * The latest events, the oldest of them first, and then those that come. An event is seen only when its transaction
 * commits, which may be after later ones did: each look goes back over the last minute, for what was not there before.
 */
export async function* tail(db: Db, { lines, type, wait }: TailOptions): AsyncGenerator<AuditRow> {
  const ofType = type === undefined ? undefined : eq(auditEvents.type, type)
  // What there is already, whether it is printed or not.
  let seen = new Set((await recent(db, ofType)).map(({ id }) => id))
  const latest = await db
    .select()
    .from(auditEvents)
    .where(ofType)
    .orderBy(desc(auditEvents.createdAt), desc(auditEvents.id))
    .limit(lines)
  for (const event of latest) seen.add(event.id)
  yield* latest.reverse()
  while (await wait()) {
    const now = await recent(db, ofType)
    const fresh = now.filter(({ id }) => !seen.has(id)).map(({ id }) => id)
    // A key of an earlier minute can no longer come up as new.
    seen = new Set(now.map(({ id }) => id))
    if (fresh.length > 0) yield* await findEvents(db, fresh)
  }
}

/** By the index alone. */
const recent = (db: Db, ofType: SQL | undefined) =>
  db
    .select({ id: auditEvents.id })
    .from(auditEvents)
    .where(and(ofType, gt(auditEvents.createdAt, secondsAgo(maxTransactionAge))))

const findEvents = (db: Db, ids: number[]): Promise<AuditRow[]> =>
  db
    .select()
    .from(auditEvents)
    .where(inArray(auditEvents.id, ids))
    .orderBy(asc(auditEvents.createdAt), asc(auditEvents.id))
