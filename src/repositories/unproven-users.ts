import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { auditEvents, users } from '../database/schema/index.ts'
import { daysAgo } from '../database/time.ts'
import { toColumn, isDefaultRole, roles } from '../roles.ts'

/**
 * Nobody has ever proved that an address of the user's is theirs. A verified address becomes unverified in one way only,
 * by an administrator's change, and the audit log holds that for a year.
 */
const unproven = and(
  eq(users.emailVerified, false),
  // The same address in other letters proves nothing.
  sql`not exists (
    select 1 from ${auditEvents} where ${auditEvents.userId} = ${users.id} and ${auditEvents.type} = 'user.email_changed'
    and lower(${auditEvents.details} ->> 'from') <> lower(${auditEvents.details} ->> 'to'))`
)

export const isUnproven = async (db: Db, id: number): Promise<boolean> =>
  (await db.$count(users, and(eq(users.id, id), unproven))) > 0

const expired = (days: number) =>
  and(
    unproven,
    sql`${users.createdAt} < ${daysAgo(days)}`,
    isNull(users.lastLoginAt),
    ...roles.filter((role) => !isDefaultRole(role)).map((role) => eq(users[toColumn(role)], false)),
    sql`exists (
      select 1 from ${auditEvents}
      where ${auditEvents.userId} = ${users.id} and ${auditEvents.type} = 'user.registered')`
  )

/** Some of the users who registered so many days ago, are unproven, and have never logged in. */
export const findExpiredUsers = (db: Db, days: number): Promise<{ id: number }[]> =>
  db.select({ id: users.id }).from(users).where(expired(days)).orderBy(users.createdAt).limit(500)

export const isExpiredUser = async (db: Db, id: number, days: number): Promise<boolean> =>
  (await db.$count(users, and(eq(users.id, id), expired(days)))) > 0
