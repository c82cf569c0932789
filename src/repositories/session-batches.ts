import { and, asc, gt, inArray, lt, lte, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { sessions, users } from '../database/schema/index.ts'
import { hasRole } from './users.ts'
import type { Role } from '../roles.ts'

/** Whose sessions, and from before when: all conditions that are named must hold. */
export interface SessionFilter {
  userIds?: number[] | undefined
  role?: Role | undefined
  /** ISO 8601. */
  createdBefore?: string | undefined
}

// So many in a transaction that each is done well within the time that one has.
const batch = 2000

export const countMatching = (db: Db, filter: SessionFilter): Promise<number> => db.$count(sessions, matching(filter))

/** The database's time, as text without loss. */
export async function transactionTime(db: Db): Promise<string> {
  const [clock] = await db.select({ now: sql<string>`now()::text` }).from(sql`(values (1)) as one`)
  return clock?.now ?? ''
}

/**
 * Deletes a batch of sessions in the order of their ids, so that two of these do not wait for each other.
 * @param begun sessions that started later are left alone
 * @param last the greatest id of the batch before
 */
export async function deleteMatching(
  tx: Db,
  filter: SessionFilter,
  begun: string,
  last: string | undefined
): Promise<string[]> {
  const some = tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(
      and(
        matching(filter),
        lte(sessions.createdAt, sql`${begun}::timestamptz`),
        last === undefined ? undefined : gt(sessions.id, last)
      )
    )
    .orderBy(asc(sessions.id))
    .limit(batch)
    .for('update')
  const rows = await tx.delete(sessions).where(inArray(sessions.id, some)).returning({ id: sessions.id })
  return rows.map(({ id }) => id)
}

const matching = ({ userIds, role, createdBefore }: SessionFilter): SQL | undefined =>
  and(
    userIds && inArray(sessions.userId, userIds),
    role && sql`${sessions.userId} in (select ${users.id} from ${users} where ${hasRole(role)})`,
    createdBefore === undefined ? undefined : lt(sessions.createdAt, sql`${createdBefore}::timestamptz`)
  )
