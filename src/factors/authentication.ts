import type { Db } from '../database/database.ts'
import type { AuthenticationMethod } from '../repositories/sessions.ts'
import type { UserRow } from '../repositories/users.ts'

/** Seconds for which a proof counts as recent. */
export const freshFor = 300

/** Proof of who a user is. A session starts, and becomes fresh again, with one and with nothing else. */
export interface Authentication {
  user: UserRow
  methods: AuthenticationMethod[]
  /**
   * Ends the attempt, in the transaction that acts on the proof and before it changes users.
   * @throws {Problem} `rate_limited` where other attempts have used up the limit meanwhile
   */
  complete: (tx: Db) => Promise<void>
}
