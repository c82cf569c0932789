import { Readable } from 'node:stream'
import pLimit from 'p-limit'
import { describeOwnEvent } from '../audit/description.ts'
import { type AuditRow, eventPagesOf, listEvents } from '../repositories/audit-event-list.ts'
import type { Page } from '../database/pagination.ts'
import type { Db } from '../database/database.ts'
import { Problem } from '../errors.ts'
import { findSessions } from '../repositories/sessions.ts'
import type { SessionLimits } from '../config/config.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import type { UserRow } from '../repositories/users.ts'
import type { Users } from './service.ts'

export const mostEventsExported = 10_000

/** Events that are read at a time. What is read waits in memory for the client to take it. */
export const eventsPerPage = 200

/** Pages that all exports together read at once: more would stand before everybody else's statements. */
const pagesAtOnce = 1

// Seconds: a client that takes nothing has been cut by then.
const waitForTheOther = 15

/** How an answer shows the rows: what these do not name does not leave the service. */
export interface ExportViews {
  user: (user: UserRow) => object
  session: (session: Awaited<ReturnType<typeof findSessions>>[number]) => object
}

export interface ExportOptions {
  db: Db
  users: Pick<Users, 'current'>
  limits: SessionLimits
}

export type Export = (principal: UserPrincipal, views: ExportViews) => Promise<Readable>

/** All that is kept of a user, as one JSON document that is read from the database while the client takes it. */
export function createExport({ db, users, limits }: ExportOptions): Export {
  const underWay = new Set<number>()
  const inTurn = pLimit(pagesAtOnce)

  /** @throws {Problem} `token_revoked`, or `rate_limited` while the same user has one under way */
  return async function exportUser(principal, views) {
    const { userId } = principal
    if (underWay.has(userId)) {
      const detail = 'Another export of this account is under way: take it to its end first'
      throw new Problem('rate_limited', { detail, retryAfter: waitForTheOther })
    }
    underWay.add(userId)
    try {
      const user = await users.current(principal)
      const sessions = await findSessions(db, userId, limits)
      const pages = eventPagesOf((query) => inTurn(listEvents, db, query), userId, eventsPerPage)
      // What is wrong with the database mostly shows here, where it can still be answered.
      const first = await pages.next()
      const head = JSON.stringify({ user: views.user(user), sessions: sessions.map(views.session) })
      return Readable.from(documentOf(head, first.value as Page<AuditRow>, pages)).once('close', () => {
        underWay.delete(userId)
      })
    } catch (error) {
      underWay.delete(userId)
      throw error
    }
  }
}

/** The document, a page of events at a time. Where a page fails the document has no end, and nobody takes it for whole. */
async function* documentOf(head: string, first: Page<AuditRow>, others: AsyncIterable<Page<AuditRow>>) {
  yield `${head.slice(0, -1)},"audit_events":[${linesOf(first.items)}`
  let [count, isComplete] = [first.items.length, first.nextCursor === null]
  if (!isComplete) {
    for await (const { items, nextCursor } of others) {
      yield `,${linesOf(items)}`
      count += items.length
      isComplete = nextCursor === null
      if (count >= mostEventsExported) break
    }
  }
  yield `],"is_complete":${String(isComplete)}}`
}

const linesOf = (events: AuditRow[]) => events.map((event) => JSON.stringify(describeOwnEvent(event))).join(',')
