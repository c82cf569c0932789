import { and, type Column, desc, eq, inArray, isNotNull, or, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { auditEvents } from '../database/schema/index.ts'

/**
 * Takes from the events of a user what says who it was. That something happened stays, and the user's id. So does
 * where it came from when another did it: an administrator who deletes the account, be it their own, must not wipe out the
 * traces of what they did with their role.
 */
export async function anonymizeEvents(db: Db, userId: number): Promise<void> {
  await db
    .update(auditEvents)
    .set(anonymous)
    .where(and(eq(auditEvents.userId, userId), isPersonal))
}

/**
 * The same for some of their older events, ahead of the transaction in which the user goes: a name that was guessed at
 * for a year has more events than a transaction has time for.
 * @returns whether there may be more
 */
export async function anonymizeOlderEvents(db: Db, userId: number): Promise<boolean> {
  const older = db
    .select({ id: auditEvents.id })
    .from(auditEvents)
    .where(and(eq(auditEvents.userId, userId), isPersonal))
    .orderBy(desc(auditEvents.createdAt))
    .offset(batch)
    .limit(batch)
  const rows = await db
    .update(auditEvents)
    .set(anonymous)
    .where(inArray(auditEvents.id, older))
    .returning({ id: auditEvents.id })
  return rows.length === batch
}

const batch = 5000

const isByAnother = sql`(${auditEvents.actorClientId} is not null or ${auditEvents.actorId} <> ${auditEvents.userId})`

/** Where there is no actor it may have been the user. */
const isByThem = sql`${isByAnother} is not true`

const unlessByThem = (column: Column) => sql`case when ${isByThem} then null else ${column} end`

const anonymous = { ip: unlessByThem(auditEvents.ip), userAgent: unlessByThem(auditEvents.userAgent), details: {} }

const isPersonal = or(
  and(isByThem, or(isNotNull(auditEvents.ip), isNotNull(auditEvents.userAgent))),
  sql`${auditEvents.details} <> '{}'`
)
