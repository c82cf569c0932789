import { gt, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { revocations } from '../database/schema/index.ts'

/** What makes access tokens void: the end of their session, or a version of their user. */
export type Revocation = { sessionId: string } | { userId: number; version: number }

/** The channel on which instances tell each other of revocations. */
export const channel = 'gatehouse_revocations'

/** Sent instead of more payloads than are worth sending: look them up. */
export const manyAtOnce = 'many'

const mostNotifications = 100
const mostRowsPerStatement = 10_000

/**
 * Records revocations and tells every instance, when the transaction commits and only then.
 * This instance's own list is told by the caller, after the commit.
 */
export async function insertRevocations(db: Db, entries: Revocation[]): Promise<void> {
  if (entries.length === 0) return
  for (let from = 0; from < entries.length; from += mostRowsPerStatement) {
    await db.insert(revocations).values(entries.slice(from, from + mostRowsPerStatement))
  }
  const payloads = entries.length > mostNotifications ? [manyAtOnce] : entries.map(encode)
  await db
    .select({ sent: sql`pg_notify(${channel}, payload)` })
    .from(sql`jsonb_array_elements_text(${JSON.stringify(payloads)}::jsonb) as payload`)
}

/** Revocations of the last `seconds`. */
export async function findRevocationsSince(db: Db, seconds: number): Promise<Revocation[]> {
  const rows = await db
    .select({ sessionId: revocations.sessionId, userId: revocations.userId, version: revocations.version })
    .from(revocations)
    .where(gt(revocations.createdAt, sql`now() - make_interval(secs => ${seconds})`))
  return rows.flatMap(({ sessionId, userId, version }): Revocation[] => {
    if (sessionId !== null) return [{ sessionId }]
    return userId !== null && version !== null ? [{ userId, version }] : []
  })
}

const encode = (entry: Revocation): string =>
  'sessionId' in entry ? `s:${entry.sessionId}` : `u:${String(entry.userId)}:${String(entry.version)}`

/** @returns undefined for what is no revocation, such as `manyAtOnce` */
export function decode(payload: string): Revocation | undefined {
  const [kind, id = '', version = ''] = payload.split(':')
  if (kind === 's') return { sessionId: id }
  if (kind === 'u') return { userId: Number(id), version: Number(version) }
  return undefined
}
