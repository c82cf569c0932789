import { Readable } from 'node:stream'
import pLimit from 'p-limit'
import type { Page } from '../database/pagination.ts'
import { Problem } from '../errors.ts'
import type { Mechanisms } from '../mechanisms.ts'
import { type AuditRow, pageUserEvents, listEvents } from '../repositories/audit-event-list.ts'
import { findSessions, type SessionView } from '../repositories/sessions.ts'
import type { UserRow } from '../repositories/users.ts'
import type { UserPrincipal } from '../tokens/claims.ts'

export const maxEventsExported = 10_000

/** Events that are read at a time. What is read waits in memory for the client to take it. */
export const eventsPerPage = 200

/** Pages that all exports together read at once: more would stand before everybody else's statements. */
const pagesAtOnce = 1

// Seconds: a client that takes nothing has been cut by then.
const retryAfter = 15

/** How an answer shows the rows: what these do not name does not leave the service. */
export interface ExportViews {
  user: (user: UserRow) => object
  session: (session: SessionView) => object
  event: (event: AuditRow) => object
}

/**
 * All that is kept of the caller, as one JSON document that is read from the database while the client takes it.
 * @throws {Problem} `token_revoked`, or `rate_limited` while another export of the same user is under way
 */
export function exportAccount({ db, requireUser, sessionLimits }: Mechanisms) {
  const underWay = new Set<number>()
  const inTurn = pLimit(pagesAtOnce)

  return async (principal: UserPrincipal, views: ExportViews): Promise<Readable> => {
    const { userId } = principal
    if (underWay.has(userId)) {
      const detail = 'Another export of this account is under way: take it to its end first'
      throw new Problem('rate_limited', { detail, retryAfter })
    }
    underWay.add(userId)
    try {
      const user = await requireUser(principal)
      const sessions = await findSessions(db, userId, sessionLimits)
      const pages = pageUserEvents((query) => inTurn(listEvents, db, query), userId, eventsPerPage)
      // What is wrong with the database mostly shows here, where it can still be answered.
      const first = await pages.next()
      const head = JSON.stringify({ user: views.user(user), sessions: sessions.map(views.session) })
      const document = writeDocument(head, first.value as Page<AuditRow>, pages, views)
      return Readable.from(document).once('close', () => underWay.delete(userId))
    } catch (error) {
      underWay.delete(userId)
      throw error
    }
  }
}

/** The document, a page of events at a time. Where a page fails the document has no end, so that nobody takes it for whole. */
async function* writeDocument(
  head: string,
  first: Page<AuditRow>,
  others: AsyncIterable<Page<AuditRow>>,
  { event }: ExportViews
) {
  const linesOf = (events: AuditRow[]) => events.map((row) => JSON.stringify(event(row))).join(',')
  yield `${head.slice(0, -1)},"audit_events":[${linesOf(first.items)}`
  let [count, isComplete] = [first.items.length, first.nextCursor === null]
  if (!isComplete) {
    for await (const { items, nextCursor } of others) {
      yield `,${linesOf(items)}`
      count += items.length
      isComplete = nextCursor === null
      if (count >= maxEventsExported) break
    }
  }
  yield `],"is_complete":${String(isComplete)}}`
}
