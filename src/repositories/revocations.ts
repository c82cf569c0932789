import { gt, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { secondsAgo } from '../database/time.ts'
import { revocations } from '../database/schema/index.ts'

/**
 * What makes access tokens void: the end of their session, or a version of the user or the client that holds them.
 * What a service has instead of a session ends like one: the secret that it presented, and each token by its `jti`.
 */
export type Revocation =
  { sessionId: string } | { userId: number; version: number } | { clientId: string; version: number }

/** The channel on which instances tell each other of revocations. */
export const channel = 'gatehouse_revocations'

// PostgreSQL takes payloads of less than 8,000 bytes.
const maxPayload = 7900

const maxRowsPerStatement = 10_000

/**
 * Records revocations and tells every instance, when the transaction commits and only then.
 * This instance's own list is told by the caller, after the commit.
 */
export async function insertRevocations(db: Db, entries: Revocation[]): Promise<void> {
  if (entries.length === 0) return
  for (let from = 0; from < entries.length; from += maxRowsPerStatement) {
    await db.insert(revocations).values(entries.slice(from, from + maxRowsPerStatement))
  }
  await db
    .select({ sent: sql`pg_notify(${channel}, payload)` })
    .from(sql`jsonb_array_elements_text(${JSON.stringify(encode(entries))}::jsonb) as payload`)
}

/** Revocations of the last `seconds`. */
export async function findRevocationsSince(db: Db, seconds: number): Promise<Revocation[]> {
  const { sessionId, userId, clientId, version } = revocations
  const rows = await db
    .select({ sessionId, userId, clientId, version })
    .from(revocations)
    .where(gt(revocations.createdAt, secondsAgo(seconds)))
  return rows.flatMap(({ sessionId, userId, clientId, version }): Revocation[] => {
    if (sessionId !== null) return [{ sessionId }]
    if (version === null) return []
    if (clientId !== null) return [{ clientId, version }]
    return userId === null ? [] : [{ userId, version }]
  })
}

/** As many entries in a payload as it holds, so that even a hundred thousand are a few hundred notifications. */
export function encode(entries: Revocation[]): string[] {
  const payloads: string[] = []
  let payload = ''
  for (const entry of entries) {
    const word = encodeOne(entry)
    if (payload !== '' && payload.length + 1 + word.length > maxPayload) {
      payloads.push(payload)
      payload = ''
    }
    payload += (payload === '' ? '' : ' ') + word
  }
  return payload === '' ? payloads : [...payloads, payload]
}

function encodeOne(entry: Revocation): string {
  if ('sessionId' in entry) return `s:${entry.sessionId}`
  return 'userId' in entry
    ? `u:${String(entry.userId)}:${String(entry.version)}`
    : `c:${entry.clientId}:${String(entry.version)}`
}

export const decode = (payload: string): Revocation[] => payload.split(' ').map(decodeOne)

function decodeOne(word: string): Revocation {
  const [kind, id = '', version = ''] = word.split(':')
  if (kind === 's') return { sessionId: id }
  return kind === 'u' ? { userId: Number(id), version: Number(version) } : { clientId: id, version: Number(version) }
}
