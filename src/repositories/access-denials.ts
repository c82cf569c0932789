import { sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { onlyRow } from '../database/rows.ts'
import { auditEvents } from '../database/schema/index.ts'
import type { Origin } from '../origin.ts'
import { eventRow } from './audit-events.ts'

/** A caller whose role does not suffice. */
export interface Denial {
  origin: Origin
  role: string
  method: string
  /** As it is declared, not as it was called: there are few of them. */
  route: string | undefined
}

/** @returns the event's id */
export async function insertDenial(db: Db, { origin, ...details }: Denial): Promise<number> {
  const event = { type: 'access.denied', userId: origin.actorId, details: { ...details, count: 1 } } as const
  return onlyRow(await db.insert(auditEvents).values(eventRow(origin, event)).returning({ id: auditEvents.id })).id
}

/** One statement for all. Events that were anonymized meanwhile stay so. */
export async function writeDenialCounts(db: Db, counts: { id: number; count: number }[]): Promise<void> {
  if (counts.length === 0) return
  const counted = sql`jsonb_to_recordset(${JSON.stringify(counts)}::jsonb) as counted (id bigint, count integer)`
  await db
    .update(auditEvents)
    .set({ details: sql`${auditEvents.details} || jsonb_build_object('count', counted.count)` })
    .from(counted)
    .where(sql`${auditEvents.id} = counted.id and ${auditEvents.details} ? 'count'`)
}
