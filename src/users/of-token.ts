import DataLoader from 'dataloader'
import type { Db } from '../database/database.ts'
import type { SessionLifetime } from '../sessions/lifetime.ts'
import { prepareFindUsersOfTokens, type TokenReference, type UserRow } from './queries.ts'

/** The user of an access token as the database has it now; undefined where the token holds no longer. */
export type FindUserOfToken = (token: TokenReference) => Promise<UserRow | undefined>

/** Those who ask in the same turn of the event loop share a statement; nothing is kept for those who ask later. */
export function createFindUserOfToken(db: Db, lifetime: Pick<SessionLifetime, 'absolute'>): FindUserOfToken {
  const loader = new DataLoader<TokenReference, UserRow | undefined>(prepareFindUsersOfTokens(db, lifetime), {
    cache: false,
    maxBatchSize: 100,
    batchScheduleFn: setImmediate
  })
  return (token) => loader.load(token)
}
