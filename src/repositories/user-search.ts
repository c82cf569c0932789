import { and, type SQL, sql } from 'drizzle-orm'
import type { Moment } from '../database/pagination.ts'
import type { Db } from '../database/database.ts'
import { users } from '../database/schema/index.ts'
import type { UserRow } from './users.ts'

// Where a filter leaves no more than these, fetching and sorting them (some 2.5 µs each, a random read) is cheaper than
// meeting a page of them among a million on the way (some 0.4 µs for each row that is passed).
const few = 3000
// Past so many rows without a full page, the matches stand close together somewhere else.
const window = 20_000
// So many that stand close together are still fetched and sorted within a tenth of a second.
const many = 100_000
// Of more than that, rows are looked at so many at a time, and a page that has found nobody by then ends all the same.
const stride = 10_000
const maxStrides = 20

export type Position = Moment | [usernameKey: string]

export interface Order {
  name: string
  isPosition: (position: unknown[]) => position is Position
  /** What an index of this order holds. */
  keys: Partial<Pick<typeof users, 'createdAt' | 'id' | 'usernameKey'>>
  /** Of a row, where it stands in this order. */
  position: SQL<Position>
  compare: (operator: 'after' | 'up to', position: Position) => SQL
  by: SQL
  /** The same order in words that no index knows. */
  bySorting: SQL
}

/** A filter that has an index of its own, and so can be counted. */
export interface Narrowing {
  condition: SQL
  /** The parts of the condition, and the order of the index that holds each. */
  indexed: [condition: SQL, order: SQL][]
  /** Whether the index also holds the matches in the order of their creation. */
  inOrderOfCreation: boolean
}

interface Search {
  db: Db
  order: Order
  conditions: SQL[]
  /** The filters among the conditions that can be counted. */
  narrowing: Narrowing[]
  /** The condition whose index has the list's order, if there is one: the others are met on a walk along it. */
  leading: SQL | undefined
  after: Position | undefined
  limit: number
}

interface Found {
  rows: { user: UserRow; position: Position }[]
  next: Position | undefined
}

/**
 * A page of those that meet the conditions.
 *
 * No index serves a search by name in the order of creation, and PostgreSQL guesses badly which of two to use: it walks
 * the order's index past a million users in the hope of a match. So the matches are counted first, up to a few
 * thousand, on the filters' own indexes. Few are fetched and sorted. Many are met soon on a walk in the list's order;
 * where they are not, because they all stand elsewhere in it, they are fetched and sorted after all, unless they are so
 * many that the page is rather cut short.
 */
export async function findPage(search: Search): Promise<Found> {
  const { db, conditions, leading, narrowing } = search
  if (conditions.every((condition) => condition === leading)) return scan(search)
  if (await areAtMost(db, few, narrowing)) return sorted(search)
  const found = await walkedWindow(search)
  if (found.next !== undefined) return found
  return (await areAtMost(db, many, narrowing)) ? sorted(search) : strode(search)
}

/** All that match, sorted. */
async function sorted({ db, order, conditions, after, limit }: Search): Promise<Found> {
  const rows = await db
    .select({ user: users, position: order.position })
    .from(users)
    .where(and(...conditions, after && order.compare('after', after)))
    .orderBy(order.bySorting)
    .limit(limit + 1)
  return cut(rows, limit)
}

/** Those that match among what comes next in the list's order, up to a position or to the end. */
async function scan({ db, order, conditions, after, limit }: Search, upTo?: Position): Promise<Found> {
  const rows = await db
    .select({ user: users, position: order.position })
    .from(users)
    .where(and(...conditions, after && order.compare('after', after), upTo && order.compare('up to', upTo)))
    .orderBy(order.by)
    .limit(limit + 1)
  return cut(rows, limit)
}

/** Those that match among the next rows in the list's order, of which no more are read than it takes to fill the page. */
async function walkedWindow({ db, order, conditions, leading, after, limit }: Search): Promise<Found> {
  const next = db
    .select()
    .from(users)
    .where(and(leading, after && order.compare('after', after)))
    .orderBy(order.by)
    .limit(window)
    .as('users')
  const rows = await db
    .select({ user: users, position: order.position })
    .from(next)
    .where(and(...conditions))
    .orderBy(order.by)
    .limit(limit + 1)
  return cut(rows, limit)
}

/** Those that match in the first stretch where somebody does, and where the looking ended. */
async function strode(search: Search): Promise<Found> {
  let from = search.after
  for (let stridesLeft = maxStrides; ; stridesLeft--) {
    const end = await endOfStride(search, from)
    const found = await scan({ ...search, after: from }, end)
    if (found.next !== undefined || end === undefined) return found
    if (found.rows.length > 0 || stridesLeft === 1) return { ...found, next: end }
    from = end
  }
}

/** @returns undefined where the list ends before */
async function endOfStride({ db, order, leading }: Search, from: Position | undefined): Promise<Position | undefined> {
  // The position is made of the last row alone, outside.
  const last = db
    .select(order.keys)
    .from(users)
    .where(and(leading, from && order.compare('after', from)))
    .orderBy(order.by)
    .offset(stride - 1)
    .limit(1)
    .as('users')
  const [end] = await db.select({ position: order.position }).from(last)
  return end?.position
}

function cut(rows: Found['rows'], limit: number): Found {
  return rows.length > limit
    ? { rows: rows.slice(0, limit), next: rows[limit - 1]?.position }
    : { rows, next: undefined }
}

/** Whether one filter alone leaves no more than that. */
async function areAtMost(db: Db, most: number, narrowing: Narrowing[]): Promise<boolean> {
  if (narrowing.length === 0) return false
  const limit = sql.raw(String(most + 1))
  const counts = narrowing.map(({ indexed }) =>
    sql.join(
      indexed.map(
        // Ordered as the index is, so that it is what is read.
        ([condition, order]) =>
          sql`(select count(*) from (select 1 from ${users} where ${condition} order by ${order} limit ${limit}) as counted)`
      ),
      sql` + `
    )
  )
  const [row] = await db
    .select({ fewest: sql<number>`least(${sql.join(counts, sql`, `)})`.mapWith(Number) })
    .from(sql`(values (1)) as one`)
  return row !== undefined && row.fewest <= most
}
