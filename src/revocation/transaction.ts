import type { Db } from '../database/database.ts'
import { retryingDeadlocks } from '../database/retry.ts'
import { insertRevocations, type Revocation } from '../repositories/revocations.ts'
import type { Revocations } from './revocations.ts'

/** Runs a transaction that makes access tokens void, and sees to it that no instance takes them any more. */
export type InRevokingTransaction = <T>(work: (tx: Db) => Promise<{ revoked: Revocation[]; result: T }>) => Promise<T>

export function createRevokingTransaction(db: Db, revocations?: Pick<Revocations, 'remember'>): InRevokingTransaction {
  return async (work) => {
    const { revoked, result } = await retryingDeadlocks(() =>
      db.transaction(async (tx) => {
        const outcome = await work(tx)
        await insertRevocations(tx, outcome.revoked)
        return outcome
      })
    )
    revocations?.remember(revoked)
    return result
  }
}

export const ofSessions = (ids: string[]): Revocation[] => ids.map((sessionId) => ({ sessionId }))
