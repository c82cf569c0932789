import DataLoader from 'dataloader'
import type { Db } from '../database/database.ts'
import { isWithinAbsoluteLimit } from './session-lifetime.ts'
import type { SessionLifetime } from '../config/config.ts'
import type { UserRow } from './users.ts'
import { sql } from 'drizzle-orm'
import { sessions, users } from '../database/schema/index.ts'

/** The user of an access token as the database has it now; undefined where the token holds no longer. */
export type FindUserByToken = (token: TokenReference) => Promise<UserRow | undefined>

/** Batches lookups made in the same event-loop tick into one statement; caches nothing. */
export function createFindUserByToken(db: Db, lifetime: Pick<SessionLifetime, 'absolute'>): FindUserByToken {
  const loader = new DataLoader<TokenReference, UserRow | undefined>(prepareFindUsersByToken(db, lifetime), {
    cache: false,
    maxBatchSize: 100,
    batchScheduleFn: setImmediate
  })
  return (token) => loader.load(token)
}

/** What of an access token can be looked up. */
interface TokenReference {
  userId: number
  sessionId: string
  version: number
}

/**
 * Makes the look-up of access tokens' users: each is undefined if the session has ended, or the user was disabled,
 * deleted or changed since. One statement answers for as many as ask at the same moment.
 */
function prepareFindUsersByToken(
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
    .prepare('find_users_by_token')

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
