import { and, eq, isNull, sql } from 'drizzle-orm'
import { recordEvent } from '../repositories/audit-events.ts'
import type { Db } from '../database/database.ts'
import { auditEvents, users } from '../database/schema/index.ts'
import type { InRevokingTransaction } from '../revocation/transaction.ts'
import { removeUser } from '../users/changes.ts'
import { lockUser, type LoginRules } from '../repositories/user-locks.ts'

/**
 * Whether nobody has ever proved that an address of the user's is theirs. A verified address comes to be unverified in
 * one way only, by an administrator's change, and the audit holds that for a year.
 */
const unproven = and(
  eq(users.emailVerified, false),
  // To write the same address in other letters proves nothing.
  sql`not exists (
    select 1 from ${auditEvents} where ${auditEvents.userId} = ${users.id} and ${auditEvents.type} = 'user.email_changed'
    and lower(${auditEvents.details} ->> 'from') <> lower(${auditEvents.details} ->> 'to'))`
)

export async function isUnproven(db: Db, { id }: { id: number }): Promise<boolean> {
  return (await selectIds(db, and(eq(users.id, id), unproven))).length > 0
}

export interface ExpiryOptions {
  db: Db
  inRevokingTransaction: InRevokingTransaction
  rules: LoginRules
}

/**
 * Deletes the accounts that nobody has ever verified or logged in to, so that nobody keeps a stranger's address for
 * good. Those that somebody else made (imported, invited, made by an operator) stay, and so do authors and
 * administrators. Instances may do this at the same time.
 * @param days since their registration
 * @returns how many are gone
 */
export async function deleteUnproven(
  { db, inRevokingTransaction, rules }: ExpiryOptions,
  days: number
): Promise<number> {
  const expired = and(
    unproven,
    sql`${users.createdAt} < now() - make_interval(days => ${days})`,
    isNull(users.lastLoginAt),
    eq(users.isAuthor, false),
    eq(users.isAdmin, false),
    sql`exists (
      select 1 from ${auditEvents}
      where ${auditEvents.userId} = ${users.id} and ${auditEvents.type} = 'user.registered')`
  )
  let deleted = 0
  for (const { id } of await selectIds(db, expired)) {
    deleted += await inRevokingTransaction(async (tx) => {
      const locked = await lockUser(tx, { id })
      const isExpired = locked && (await selectIds(tx, and(eq(users.id, id), expired))).length > 0
      if (!isExpired) return { revoked: [], result: 0 }
      const { revoked } = await removeUser(tx, { id }, {}, rules)
      await recordEvent(tx, {}, { type: 'user.expired', userId: id })
      return { revoked, result: 1 }
    })
  }
  return deleted
}

const selectIds = (db: Db, condition: ReturnType<typeof and>) =>
  db.select({ id: users.id }).from(users).where(condition).orderBy(users.createdAt).limit(500)
