import { type AuditRow, findEventsOf } from '../audit/listing.ts'
import type { Origin } from '../audit/events.ts'
import type { Db } from '../database/database.ts'
import type { PasswordAttempts } from '../limits/password-attempts.ts'
import type { InRevokingTransaction } from '../revocation/transaction.ts'
import type { Proof } from '../sessions/proof.ts'
import { findSessions, type SessionLimits } from '../sessions/queries.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import { prepareRemoval, removeUser } from './changes.ts'
import type { UserRow } from './queries.ts'
import type { Users } from './service.ts'

/** All that is kept of a user. */
export interface UserExport {
  user: UserRow
  sessions: Awaited<ReturnType<typeof findSessions>>
  /** The newest first, no more than `mostEventsExported`. */
  events: AuditRow[]
  isComplete: boolean
}

export const mostEventsExported = 10_000

export interface DepartureOptions {
  db: Db
  proof: Pick<Proof, 'byPassword'>
  attempts: PasswordAttempts
  users: Pick<Users, 'current'>
  inRevokingTransaction: InRevokingTransaction
  limits: SessionLimits
}

export type Departure = ReturnType<typeof createDeparture>

/** How users take along what is theirs, and go. */
export function createDeparture({ db, proof, attempts, users, inRevokingTransaction, limits }: DepartureOptions) {
  return {
    /** @throws {Problem} `token_revoked` */
    async export(principal: UserPrincipal): Promise<UserExport> {
      const user = await users.current(principal)
      const events = await findEventsOf(db, user.id, mostEventsExported + 1)
      return {
        user,
        sessions: await findSessions(db, user.id, limits),
        events: events.slice(0, mostEventsExported),
        isComplete: events.length <= mostEventsExported
      }
    },

    /** @throws {Problem} `rate_limited`, `invalid_credentials` for a wrong password, `last_admin`, `token_revoked`, `overloaded` */
    async leave(principal: UserPrincipal, password: string, origin: Origin): Promise<void> {
      const { user, attempt } = await proof.byPassword(principal, password, origin)
      await prepareRemoval(db, user.id)
      await inRevokingTransaction(async (tx) => {
        await attempts.succeeded(tx, attempt)
        await attempts.forget(tx, user.id)
        return removeUser(tx, { id: user.id }, origin)
      })
    }
  }
}
