import { type Column, type SQL, sql } from 'drizzle-orm'
import { type FieldFault, InvalidInput } from '../errors.ts'

/** A moment in microseconds since the epoch, as the database counts, and what tells rows of the same moment apart. */
export type Moment<Id = number> = [microseconds: number, id: Id]

/** PostgreSQL keeps microseconds and a JavaScript date does not: a cursor made of one would skip rows or repeat them. */
export const toMicroseconds = (column: Column) =>
  sql<number>`(extract(epoch from ${column}) * 1000000)::bigint`.mapWith(Number)

export const fromMicroseconds = (microseconds: number): SQL =>
  sql`(timestamptz 'epoch' + ${microseconds}::float8 * interval '1 microsecond')`

export const isMoment =
  <Id>(isId: (value: unknown) => value is Id) =>
  (position: unknown[]): position is Moment<Id> =>
    position.length === 2 && Number.isSafeInteger(position[0]) && isId(position[1])

/** @param largest the largest id that the column holds */
export const isIdUpTo =
  (largest: number) =>
  (value: unknown): value is number =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= largest

/** Where a page ended, for the client to hand back: opaque, and good for the list in the order that it was made for. */
export const encodeCursor = (list: string, position: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify([list, ...position])).toString('base64url')

/** What is said of a cursor that was made for another list, or by somebody else. */
export const foreignCursor: FieldFault = {
  field: 'cursor',
  message: 'must be the next_cursor of a page of this list, in the same order'
}

/** @throws {InvalidInput} for a cursor of another list or order */
export function decodeCursor<Position>(
  list: string,
  cursor: string,
  isPosition: (position: unknown[]) => position is Position & unknown[]
): Position {
  const [name, ...position] = parse(cursor)
  if (name !== list || !isPosition(position)) {
    throw new InvalidInput(foreignCursor)
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

/** @param rows what was found in the order of time, with a limit of one more than the page's */
export function toPage<T extends { id: string | number }>(
  list: string,
  rows: { item: T; microseconds: number }[],
  limit: number
): Page<T> {
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  return {
    items: page.map(({ item }) => item),
    nextCursor: last === undefined ? null : encodeCursor(list, [last.microseconds, last.item.id])
  }
}
