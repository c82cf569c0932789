import type { Db } from '../database/database.ts'
import { retryingDeadlocks } from '../database/retry.ts'
import { insertRevocations, type Revocation } from '../repositories/revocations.ts'
import type { Revocations } from './revocations.ts'

/**
 * Runs a transaction and revokes the tokens that it adds to `revoked`: recorded with the transaction, and in effect at every
 * instance once it has committed. The victim of a deadlock is run again.
 */
export type RevokingTransaction = <T>(work: (tx: Db, revoked: Revocation[]) => Promise<T>) => Promise<T>

export function createRevokingTransaction(db: Db, revocations?: Pick<Revocations, 'remember'>): RevokingTransaction {
  return async (work) => {
    const { revoked, result } = await retryingDeadlocks(() =>
      db.transaction(async (tx) => {
        const revoked: Revocation[] = []
        const result = await work(tx, revoked)
        await insertRevocations(tx, revoked)
        return { revoked, result }
      })
    )
    revocations?.remember(revoked)
    return result
  }
}

export const ofSessions = (ids: string[]): Revocation[] => ids.map((sessionId) => ({ sessionId }))
