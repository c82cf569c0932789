import { and, asc, eq, gt, inArray, lt, lte, type SQL, sql } from 'drizzle-orm'
import { recordEvent } from '../repositories/audit-events.ts'
import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import { sessions, users } from '../database/schema/index.ts'
import { requireActor } from '../repositories/actors.ts'
import { type InRevokingTransaction, ofSessions } from '../revocation/transaction.ts'
import type { Role } from '../roles.ts'

/** Whose sessions, from before when: all conditions that are named must hold. */
export interface SessionFilter {
  user_ids?: number[]
  role?: Role
  created_before?: string
}

// So many a transaction, that each is done well within the time that one has.
const batch = 2000

/** How many sessions there are that `endSessions` would end. */
export async function countSessions(db: Db, filter: SessionFilter): Promise<number> {
  return db.$count(sessions, and(...conditionsOf(filter)))
}

/**
 * Ends sessions in batches, each committed, audited and felt by every instance on its own. Where it fails midway, what
 * has ended stays ended, and the same call again ends the rest. Sessions that start meanwhile are left alone.
 * @returns how many have ended
 */
export async function endSessions(
  db: Db,
  inRevokingTransaction: InRevokingTransaction,
  filter: SessionFilter,
  origin: Origin
): Promise<number> {
  const [clock] = await db.select({ now: sql<string>`now()::text` }).from(sql`(values (1)) as one`)
  const conditions = [...conditionsOf(filter), lte(sessions.createdAt, sql`${clock?.now ?? ''}::timestamptz`)]
  let total = 0
  for (let last: string | undefined; ;) {
    const ended = await inRevokingTransaction(async (tx) => {
      // The first batch may end the actor's own session, and the rest follows all the same.
      if (last === undefined) await requireActor(tx, origin)
      const ids = await deleteBatch(tx, and(...conditions, last === undefined ? undefined : gt(sessions.id, last)))
      if (ids.length > 0) {
        const details = { filter, revoked: ids.length }
        await recordEvent(tx, origin, { type: 'session.bulk_revoked', details })
      }
      return { revoked: ofSessions(ids), result: ids }
    })
    if (ended.length === 0) return total
    total += ended.length
    last = ended.reduce((greatest, id) => (id > greatest ? id : greatest))
  }
}

/** In the order of their ids, so that two of these do not wait for each other. */
async function deleteBatch(tx: Db, condition: SQL | undefined): Promise<string[]> {
  const some = tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(condition)
    .orderBy(asc(sessions.id))
    .limit(batch)
    .for('update')
  const rows = await tx.delete(sessions).where(inArray(sessions.id, some)).returning({ id: sessions.id })
  return rows.map(({ id }) => id)
}

function conditionsOf({ user_ids: userIds, role, created_before: before }: SessionFilter): SQL[] {
  return [
    ...(userIds === undefined ? [] : [inArray(sessions.userId, userIds)]),
    ...(role === undefined ? [] : [sql`${sessions.userId} in (select ${users.id} from ${users} where ${holds[role]})`]),
    ...(before === undefined ? [] : [lt(sessions.createdAt, sql`${before}::timestamptz`)])
  ]
}

const holds = { reader: eq(users.isReader, true), author: sql`${users.isAuthor}`, admin: sql`${users.isAdmin}` }
