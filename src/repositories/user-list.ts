import { eq, type SQL, sql } from 'drizzle-orm'
import {
  decodeCursor,
  encodeCursor,
  fromMicroseconds,
  isIdUpTo,
  isMoment,
  toMicroseconds,
  type Page
} from '../database/pagination.ts'
import type { Db } from '../database/database.ts'
import { users } from '../database/schema/index.ts'
import { isDefaultRole, type Role } from '../roles.ts'
import { maxInteger } from '../ids.ts'
import { toKey } from '../names.ts'
import { hasRole, type UserRow } from './users.ts'
import { findPage, type Narrowing, type Order, type Position } from './user-search.ts'

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

/**
 * A page of users, by keyset: what a page costs does not depend on which one it is (docs/decisions/0025).
 * @throws {InvalidInput} for a cursor of another list or order
 */
export async function listUsers(db: Db, query: UserQuery): Promise<Page<UserRow>> {
  const order = orders[query.sort]
  const after = query.cursor === undefined ? undefined : decodeCursor(order.name, query.cursor, order.isPosition)
  const narrowing = narrowingFilters(query)
  const conditions = [...narrowing.map(({ condition }) => condition), ...broadFilters(query)]
  const leading = leadingColumn(order, narrowing)
  const page = await findPage({ db, order, conditions, narrowing, leading, after, limit: query.limit })
  return {
    items: page.rows.map(({ user }) => user),
    nextCursor: page.next === undefined ? null : encodeCursor(order.name, page.next)
  }
}

/** A cursor for what comes after a user, if they are there. */
export async function findCursorAfter(db: Db, id: number, sort: UserSort): Promise<string | undefined> {
  const { name, position } = orders[sort]
  const [row] = await db.select({ position }).from(users).where(eq(users.id, id))
  return row && encodeCursor(name, row.position)
}

const microseconds = toMicroseconds(users.createdAt)

const byCreation = (name: string, direction: SQL, [past, upTo]: [SQL, SQL]): Order => ({
  name,
  isPosition: isMoment(isIdUpTo(maxInteger)),
  keys: { createdAt: users.createdAt, id: users.id },
  position: sql<Position>`json_build_array(${microseconds}, ${users.id})`,
  compare(operator, [first, id]) {
    const moment = sql`(${fromMicroseconds(Number(first))}, ${id}::integer)`
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

/** Columns are named without parameters, which would keep partial indexes from being used. */
function narrowingFilters({ q, role, status }: UserQuery): Narrowing[] {
  const byPartialIndex = (condition: SQL): Narrowing => ({
    condition,
    indexed: [[condition, sql`${users.createdAt}, ${users.id}`]],
    inOrderOfCreation: true
  })
  const filters: Narrowing[] = []
  if (role !== undefined && !isDefaultRole(role)) filters.push(byPartialIndex(hasRole(role)))
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
  ...(role !== undefined && isDefaultRole(role) ? [hasRole(role)] : []),
  ...(status === 'enabled' ? [sql`not ${users.isDisabled}`] : [])
]

/** A range, which an index serves whatever the parameter is; LIKE would need the pattern when the plan is made. */
function beginsWith(key: typeof users.usernameKey | typeof users.emailKey, text: string): SQL {
  const prefix = toKey(text.normalize('NFKC'))
  return sql`(${key} >= ${prefix} and ${key} < ${`${prefix}\u{10FFFF}`})`
}

const leadingColumn = (order: Order, narrowing: Narrowing[]): SQL | undefined =>
  order === orders.username ? undefined : narrowing.find((filter) => filter.inOrderOfCreation)?.condition
