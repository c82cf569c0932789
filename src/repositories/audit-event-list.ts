import { and, asc, desc, eq, gt, gte, inArray, lt, type SQL, sql } from 'drizzle-orm'
import { maxTransactionAge } from '../config/tolerances.ts'
import {
  decodeCursor,
  fromMicroseconds,
  isIdUpTo,
  isMoment,
  toMicroseconds,
  type Moment,
  type Page,
  toPage
} from '../database/pagination.ts'
import type { Db } from '../database/database.ts'
import { auditEvents } from '../database/schema/index.ts'
import { secondsAgo } from '../database/time.ts'
import type { AuditEventType } from './audit-events.ts'

export type AuditRow = typeof auditEvents.$inferSelect

export interface AuditQuery {
  limit: number
  cursor?: string | undefined
  type?: AuditEventType | undefined
  userId?: number | undefined
  /** From this moment on. */
  since?: Date | undefined
  /** Before this moment. */
  until?: Date | undefined
}

const list = 'audit events'
const isPosition = isMoment(isIdUpTo(Number.MAX_SAFE_INTEGER))

/**
 * A page of what happened, newest first, by the index of the filter.
 * @throws {Problem} `validation_failed` for a cursor of another list
 */
export async function listEvents(db: Db, query: AuditQuery): Promise<Page<AuditRow>> {
  const after = query.cursor === undefined ? undefined : decodeCursor<Moment>(list, query.cursor, isPosition)
  const rows = await db
    .select({ item: auditEvents, microseconds: toMicroseconds(auditEvents.createdAt) })
    .from(auditEvents)
    .where(
      and(
        query.type === undefined ? undefined : eq(auditEvents.type, query.type),
        query.userId === undefined ? undefined : eq(auditEvents.userId, query.userId),
        query.since && gte(auditEvents.createdAt, query.since),
        query.until && lt(auditEvents.createdAt, query.until),
        after && isBefore(after)
      )
    )
    .orderBy(desc(auditEvents.createdAt), desc(auditEvents.id))
    .limit(query.limit + 1)
  return toPage(list, rows, query.limit)
}

const isBefore = ([microseconds, id]: Moment): SQL =>
  sql`(${auditEvents.createdAt}, ${auditEvents.id}) < (${fromMicroseconds(microseconds)}, ${id}::bigint)`

/** The events of a user, the newest first, page by page: the next is asked for when the one before has been taken. */
export async function* pageUserEvents(
  list: (query: AuditQuery) => Promise<Page<AuditRow>>,
  userId: number,
  limit: number
): AsyncGenerator<Page<AuditRow>> {
  let cursor: string | undefined
  do {
    const page = await list({ userId, limit, cursor })
    yield page
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
}

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
