import DataLoader from 'dataloader'
import type { Db } from '../database/database.ts'
import { isWithinAbsoluteLimit } from './session-lifetime.ts'
import type { SessionLifetime } from '../config/config.ts'
import type { UserRow } from './users.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import { sql } from 'drizzle-orm'
import { sessions, users } from '../database/schema/index.ts'

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

/** What of an access token can be looked up. */
export type TokenReference = Pick<UserPrincipal, 'userId' | 'sessionId' | 'version'>

/**
 * Makes the look-up of access tokens' users: each is undefined if the session has ended, or the user was disabled,
 * deleted or changed since. One statement answers for as many as ask at the same moment.
 */
export function prepareFindUsersOfTokens(
  db: Db,
  lifetime: Pick<SessionLifetime, 'absolute'>
): (asked: readonly TokenReference[]) => Promise<(UserRow | undefined)[]> {
  const asking = sql`jsonb_to_recordset(${sql.placeholder('asked')}::jsonb)
    as asking (n integer, user_id integer, session_id uuid, version integer)`
  const statement = db
    .select({ n: sql<number>`asking.n`, user: users })
    .from(asking)
    .innerJoin(
      users,
      sql`${users.id} = asking.user_id and ${users.version} = asking.version and not ${users.isDisabled}`
    )
    .innerJoin(
      sessions,
      sql`${sessions.id} = asking.session_id and ${sessions.userId} = ${users.id} and ${isWithinAbsoluteLimit(lifetime)}`
    )
    .prepare('find_users_of_tokens')

  return async (asked) => {
    const rows = await statement.execute({
      asked: JSON.stringify(
        asked.map(({ userId, sessionId, version }, n) => ({ n, user_id: userId, session_id: sessionId, version }))
      )
    })
    const found = asked.map((): UserRow | undefined => undefined)
    for (const { n, user } of rows) found[n] = user
    return found
  }
}
