import { and, desc, eq, inArray, isNotNull, or, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { auditEvents } from '../database/schema/index.ts'

/**
 * Takes from the events of a user what says who it was. That something happened stays, and the number of whom to.
 * Of what they did to others, the others' part stays.
 */
export async function forgetUser(db: Db, userId: number): Promise<void> {
  await db
    .update(auditEvents)
    .set({ ip: null, userAgent: null, details: {} })
    .where(and(eq(auditEvents.userId, userId), tells))
  await db
    .update(auditEvents)
    .set({ ip: null, userAgent: null })
    .where(and(eq(auditEvents.actorId, userId), sql`${auditEvents.actorId} is distinct from ${auditEvents.userId}`))
}

/**
 * The same for some of their older events, ahead of the transaction in which the user goes: a name that was guessed at
 * for a year has more events than a transaction has time for.
 * @returns whether there may be more
 */
export async function forgetOlderEvents(db: Db, userId: number): Promise<boolean> {
  const older = db
    .select({ id: auditEvents.id })
    .from(auditEvents)
    .where(and(eq(auditEvents.userId, userId), tells))
    .orderBy(desc(auditEvents.createdAt))
    .offset(batch)
    .limit(batch)
  const rows = await db
    .update(auditEvents)
    .set({ ip: null, userAgent: null, details: {} })
    .where(inArray(auditEvents.id, older))
    .returning({ id: auditEvents.id })
  return rows.length === batch
}

const batch = 5000

const tells = or(isNotNull(auditEvents.ip), isNotNull(auditEvents.userAgent), sql`${auditEvents.details} <> '{}'`)
