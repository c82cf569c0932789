import { and, desc, eq, gte, lt, type SQL, sql } from 'drizzle-orm'
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
import type { AuditEventType } from './audit-events.ts'

export type AuditRow = typeof auditEvents.$inferSelect

export interface AuditQuery {
  limit: number
  cursor?: string
  type?: AuditEventType
  userId?: number
  /** From this moment on. */
  since?: Date
  /** Before this moment. */
  until?: Date
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
    const page = await list({ userId, limit, ...(cursor !== undefined && { cursor }) })
    yield page
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
}
