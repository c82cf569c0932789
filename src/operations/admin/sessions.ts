import { Problem } from '../../errors.ts'
import type { Mechanisms } from '../../mechanisms.ts'
import type { Origin } from '../../origin.ts'
import { requireActor } from '../../repositories/actors.ts'
import { recordEvent } from '../../repositories/audit-events.ts'
import {
  countMatching,
  deleteMatching,
  type SessionFilter,
  transactionTime
} from '../../repositories/session-batches.ts'
import { deleteSessions, findSessions } from '../../repositories/sessions.ts'
import { requireUserById } from '../../repositories/users.ts'
import { ofSessions } from '../../revocation/transaction.ts'

/** @throws {Problem} `not_found` */
export const listUserSessions =
  ({ db, sessionLimits }: Mechanisms) =>
  async (userId: number) => {
    await requireUserById(db, userId)
    return findSessions(db, userId, sessionLimits)
  }

/** Ends a session of a user's. @throws {Problem} `not_found`, for another user's too */
export const endUserSession =
  (mechanisms: Mechanisms) =>
  async (userId: number, sessionId: string, origin: Origin): Promise<void> => {
    if ((await endSessions(mechanisms, userId, { only: sessionId }, origin)) === 0) throw new Problem('not_found')
  }

/** Logs a user out everywhere. @returns how many sessions have ended @throws {Problem} `not_found` */
export const endUserSessions =
  (mechanisms: Mechanisms) =>
  async (userId: number, origin: Origin): Promise<number> => {
    await requireUserById(mechanisms.db, userId)
    return endSessions(mechanisms, userId, 'all', origin)
  }

const endSessions = (
  { revoking }: Mechanisms,
  userId: number,
  which: { only: string } | 'all',
  origin: Origin
): Promise<number> =>
  revoking(async (tx, revoked) => {
    await requireActor(tx, origin)
    const ended = await deleteSessions(tx, userId, which)
    if (ended.length > 0) {
      await recordEvent(tx, origin, { type: 'session.revoked', userId, details: { session_ids: ended } })
      revoked.push(...ofSessions(ended))
    }
    return ended.length
  })

/** How many sessions `endMatchingSessions` would end. */
export const countMatchingSessions =
  ({ db }: Mechanisms) =>
  (filter: SessionFilter): Promise<number> =>
    countMatching(db, filter)

/**
 * Ends sessions in batches, each committed, recorded and in effect by itself. Where it fails midway, what has ended stays
 * ended, and the same call again ends the rest. Sessions that start meanwhile are left alone.
 * @returns how many have ended
 */
export const endMatchingSessions =
  ({ db, revoking }: Mechanisms) =>
  async (filter: SessionFilter, origin: Origin): Promise<number> => {
    const begun = await transactionTime(db)
    let total = 0
    for (let last: string | undefined; ;) {
      const ended = await revoking(async (tx, revoked) => {
        // The first batch may end the actor's own session, and the rest follows all the same.
        if (last === undefined) await requireActor(tx, origin)
        const ids = await deleteMatching(tx, filter, begun, last)
        if (ids.length === 0) return ids
        const details = { filter: describeFilter(filter), revoked: ids.length }
        await recordEvent(tx, origin, { type: 'session.bulk_revoked', details })
        revoked.push(...ofSessions(ids))
        return ids
      })
      if (ended.length === 0) return total
      total += ended.length
      last = ended.reduce((greatest, id) => (id > greatest ? id : greatest))
    }
  }

/** As requests name it. */
const describeFilter = ({ userIds, role, createdBefore }: SessionFilter) => ({
  user_ids: userIds,
  role,
  created_before: createdBefore
})
