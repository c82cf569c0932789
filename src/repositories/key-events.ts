import { eq, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { auditEvents } from '../database/schema/index.ts'
import { recordEvent } from './audit-events.ts'

/** Any number, the same for every instance: the key of the advisory lock under which key events are written. */
const keyEventsLock = 4715_3363

/** The keys as an instance has them now. */
export interface KeysInUse {
  /** Those that sign: for access tokens, for refresh tokens. */
  signing: string[]
  /** Those whose tokens are good. */
  trusted: string[]
}

/** Records which keys have come to sign and which are trusted no more: once a key, whichever instance sees it first. */
export async function recordKeys(db: Db, { signing, trusted }: KeysInUse): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.select({ locked: sql`pg_advisory_xact_lock(${keyEventsLock})` }).from(sql`(values (1)) as one`)
    const activated = await listKids(tx, 'key.activated')
    const retired = await listKids(tx, 'key.retired')
    for (const kid of signing) {
      if (!activated.has(kid)) await recordEvent(tx, {}, { type: 'key.activated', details: { kid } })
    }
    for (const kid of activated) {
      if (!trusted.includes(kid) && !retired.has(kid)) {
        await recordEvent(tx, {}, { type: 'key.retired', details: { kid } })
      }
    }
  })
}

async function listKids(db: Db, type: 'key.activated' | 'key.retired'): Promise<Set<string>> {
  const kid = sql<string>`${auditEvents.details} ->> 'kid'`
  const rows = await db.select({ kid }).from(auditEvents).where(eq(auditEvents.type, type))
  return new Set(rows.map((row) => row.kid))
}
