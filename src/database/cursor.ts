import { type Column, type SQL, sql } from 'drizzle-orm'
import { Problem } from '../errors.ts'

/** A moment in microseconds since the epoch, as the database counts, and what tells rows of the same moment apart. */
export type Moment = [microseconds: number, id: number]

/** PostgreSQL keeps microseconds and a JavaScript date does not: a cursor made of one would skip rows or repeat them. */
export const microsecondsOf = (column: Column) =>
  sql<number>`(extract(epoch from ${column}) * 1000000)::bigint`.mapWith(Number)

export const instantOf = (microseconds: number): SQL =>
  sql`(timestamptz 'epoch' + ${microseconds}::float8 * interval '1 microsecond')`

/** @param largest the largest id that the column holds */
export const isMoment =
  (largest: number) =>
  (position: unknown[]): position is Moment =>
    position.length === 2 &&
    position.every(Number.isSafeInteger) &&
    (position[1] as number) >= 0 &&
    (position[1] as number) <= largest

/** Where a page ended, for the client to hand back: opaque, and good for the list in the order that it was made for. */
export const encodeCursor = (list: string, position: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify([list, ...position])).toString('base64url')

/** @throws {Problem} `validation_failed` where it is none of this list in this order */
export function decodeCursor<Position>(
  list: string,
  cursor: string,
  isPosition: (position: unknown[]) => position is Position & unknown[]
): Position {
  const [name, ...position] = parse(cursor)
  if (name !== list || !isPosition(position)) {
    const message = 'must be the next_cursor of a page of this list, in the same order'
    throw Problem.validation([{ path: '/querystring/cursor', message }])
  }
  return position
}

function parse(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

/** A page of a list, and where the next begins. */
export interface Page<T> {
  items: T[]
  nextCursor: string | null
}
