import { Problem } from '../errors.ts'
import type { ClientPosition } from './queries.ts'

const form = /^(\d{1,18})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** Where a page ends: opaque to clients, who hand it back for the next. */
export const cursorOf = ({ createdAt, id }: ClientPosition): string =>
  Buffer.from(`${createdAt}.${id}`).toString('base64url')

/** @throws {Problem} `validation_failed` */
export function readCursor(cursor: string): ClientPosition {
  const [, createdAt, id] = form.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (createdAt === undefined || id === undefined) {
    throw Problem.validation([{ path: '/querystring/cursor', message: 'must be the next_cursor of a page' }])
  }
  return { createdAt, id }
}
