import { and, type SQL, sql } from 'drizzle-orm'
import {
  decodeCursor,
  encodeCursor,
  instantOf,
  isIdUpTo,
  isMoment,
  microsecondsOf,
  type Moment,
  type Page
} from '../database/cursor.ts'
import type { Db } from '../database/database.ts'
import { users } from '../database/schema/index.ts'
import type { Role } from '../roles/roles.ts'
import { keyOf } from './names.ts'
import type { UserRow } from './queries.ts'

export const userSorts = ['created_at', '-created_at', 'username'] as const
export type UserSort = (typeof userSorts)[number]

export interface UserQuery {
  limit: number
  sort: UserSort
  cursor?: string
  /** How the username or the e-mail address begins, in any case. */
  q?: string
  role?: Role
  status?: 'enabled' | 'disabled'
}

// Where a filter leaves no more than these, fetching and sorting them (some 2.5 µs each, a random read) is cheaper than
// meeting a page of them among a million on the way (some 0.4 µs for each row that is passed).
const few = 3000
// Past so many rows without a full page, the matches stand close together somewhere else.
const window = 20_000
// So many that stand close together are still fetched and sorted within a tenth of a second.
const many = 100_000
// Of more than that, rows are looked at so many at a time, and a page that has found nobody by then ends all the same.
const stride = 10_000
const mostStrides = 20

const largestId = 2 ** 31 - 1

/**
 * A page of users, by keyset: what a page costs does not depend on which one it is (docs/decisions/0025).
 *
 * No index serves a search by name in the order of creation, and PostgreSQL guesses badly which of two to use: it walks
 * the order's index past a million users in the hope of a match. So the matches are counted first, up to a few
 * thousand, on the filters' own indexes. Few are fetched and sorted. Many are met soon on a walk in the list's order;
 * where they are not, because they all stand elsewhere in it, they are fetched and sorted after all, unless they are so
 * many that the page is rather cut short.
 * @throws {Problem} `validation_failed` for a cursor of another list or order
 */
export async function listUsers(db: Db, query: UserQuery): Promise<Page<UserRow>> {
  const order = orders[query.sort]
  const after = query.cursor === undefined ? undefined : decodeCursor(order.name, query.cursor, order.isPosition)
  const narrowing = narrowingFilters(query)
  const conditions = [...narrowing.map(({ condition }) => condition), ...broadFilters(query)]
  const leading = leadingOf(order, narrowing)
  const search: Search = { db, order, conditions, leading, after, limit: query.limit }
  const page = await find(search, narrowing)
  return {
    items: page.rows.map(({ user }) => user),
    nextCursor: page.next === undefined ? null : encodeCursor(order.name, page.next)
  }
}

interface Search {
  db: Db
  order: Order
  conditions: SQL[]
  /** The condition whose index has the list's order, if there is one: the others are met on a walk along it. */
  leading: SQL | undefined
  after: Position | undefined
  limit: number
}

async function find(search: Search, narrowing: Narrowing[]): Promise<Found> {
  const { db, conditions, leading } = search
  if (conditions.every((condition) => condition === leading)) return walked(search)
  if (await areAtMost(db, few, narrowing)) return sorted(search)
  const found = await walkedWindow(search)
  if (found.next !== undefined) return found
  return (await areAtMost(db, many, narrowing)) ? sorted(search) : strode(search)
}

type Position = Moment | [usernameKey: string]

interface Order {
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

const microseconds = microsecondsOf(users.createdAt)

const byCreation = (name: string, direction: SQL, [past, upTo]: [SQL, SQL]): Order => ({
  name,
  isPosition: isMoment(isIdUpTo(largestId)),
  keys: { createdAt: users.createdAt, id: users.id },
  position: sql<Position>`json_build_array(${microseconds}, ${users.id})`,
  compare(operator, [first, id]) {
    const moment = sql`(${instantOf(Number(first))}, ${id}::integer)`
    return sql`(${users.createdAt}, ${users.id}) ${operator === 'after' ? past : upTo} ${moment}`
  },
  by: sql`${users.createdAt} ${direction}, ${users.id} ${direction}`,
  bySorting: sql`${users.createdAt} + interval '0' ${direction}, ${users.id} ${direction}`
})

const orders: Record<UserSort, Order> = {
  created_at: byCreation('users by created_at', sql`asc`, [sql`>`, sql`<=`]),
  '-created_at': byCreation('users by -created_at', sql`desc`, [sql`<`, sql`>=`]),
  username: {
    name: 'users by username',
    isPosition: (position): position is [string] =>
      position.length === 1 && typeof position[0] === 'string' && /^[\x21-\x7e]{1,254}$/.test(position[0]),
    keys: { usernameKey: users.usernameKey },
    position: sql<Position>`json_build_array(${users.usernameKey})`,
    compare: (operator, [key]) => sql`${users.usernameKey} ${operator === 'after' ? sql`>` : sql`<=`} ${key}`,
    by: sql`${users.usernameKey}`,
    bySorting: sql`${users.usernameKey} || ''`
  }
}

/** A filter that has an index of its own, and so can be counted. */
interface Narrowing {
  condition: SQL
  /** The parts of the condition, and the order of the index that holds each. */
  indexed: [condition: SQL, order: SQL][]
  /** Whether the index also holds the matches in the order of their creation. */
  inOrderOfCreation: boolean
}

/** Columns are named without parameters, which would keep partial indexes from being used. */
function narrowingFilters({ q, role, status }: UserQuery): Narrowing[] {
  const byPartialIndex = (condition: SQL): Narrowing => ({
    condition,
    indexed: [[condition, sql`${users.createdAt}, ${users.id}`]],
    inOrderOfCreation: true
  })
  const filters: Narrowing[] = []
  if (role === 'admin') filters.push(byPartialIndex(sql`${users.isAdmin}`))
  if (role === 'author') filters.push(byPartialIndex(sql`${users.isAuthor}`))
  if (status === 'disabled') filters.push(byPartialIndex(sql`${users.isDisabled}`))
  if (q !== undefined) {
    const ofName = beginsWith(users.usernameKey, q)
    const ofEmail = beginsWith(users.emailKey, q)
    filters.push({
      condition: sql`(${ofName} or ${ofEmail})`,
      indexed: [
        [ofName, sql`${users.usernameKey}`],
        [ofEmail, sql`${users.emailKey}`]
      ],
      inOrderOfCreation: false
    })
  }
  return filters
}

/** What nearly every user is. */
const broadFilters = ({ role, status }: UserQuery): SQL[] => [
  ...(role === 'reader' ? [sql`${users.isReader}`] : []),
  ...(status === 'enabled' ? [sql`not ${users.isDisabled}`] : [])
]

/** A range, which an index serves whatever the parameter is; LIKE would need the pattern when the plan is made. */
function beginsWith(key: typeof users.usernameKey | typeof users.emailKey, text: string): SQL {
  const prefix = keyOf(text.normalize('NFKC'))
  return sql`(${key} >= ${prefix} and ${key} < ${`${prefix}\u{10FFFF}`})`
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

const leadingOf = (order: Order, narrowing: Narrowing[]): SQL | undefined =>
  order === orders.username ? undefined : narrowing.find((filter) => filter.inOrderOfCreation)?.condition

interface Found {
  rows: { user: UserRow; position: Position }[]
  next: Position | undefined
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
async function walked({ db, order, conditions, after, limit }: Search, upTo?: Position): Promise<Found> {
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
  for (let stridesLeft = mostStrides; ; stridesLeft--) {
    const end = await endOfStride(search, from)
    const found = await walked({ ...search, after: from }, end)
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
