import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import type { PasswordAttempts } from '../throttling/password-attempts.ts'
import type { InRevokingTransaction } from '../revocation/transaction.ts'
import type { Proof } from '../sessions/proof.ts'
import type { SessionLimits } from '../config/config.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import { prepareRemoval, removeUser } from './changes.ts'
import { createExport } from './export.ts'
import type { LoginRules } from '../repositories/user-locks.ts'
import type { Users } from './service.ts'

export interface DepartureOptions {
  db: Db
  proof: Pick<Proof, 'byPassword'>
  attempts: PasswordAttempts
  users: Pick<Users, 'current'>
  inRevokingTransaction: InRevokingTransaction
  limits: SessionLimits
  /** What decides who counts as an administrator who can log in. */
  rules: LoginRules
}

export type Departure = ReturnType<typeof createDeparture>

/** How users take along what is theirs, and go. */
export function createDeparture({
  db,
  proof,
  attempts,
  users,
  inRevokingTransaction,
  limits,
  rules
}: DepartureOptions) {
  return {
    export: createExport({ db, users, limits }),

    /** @throws {Problem} `rate_limited`, `invalid_credentials` for a wrong password, `last_admin`, `token_revoked`, `overloaded` */
    async leave(principal: UserPrincipal, password: string, origin: Origin): Promise<void> {
      const { user, attempt } = await proof.byPassword(principal, password, origin)
      await prepareRemoval(db, user.id, origin, rules)
      await inRevokingTransaction(async (tx) => {
        await attempts.succeeded(tx, attempt)
        await attempts.forget(tx, user.id)
        return removeUser(tx, { id: user.id }, origin, rules)
      })
    }
  }
}
