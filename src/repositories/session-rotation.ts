import { and, eq, gt, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { secondsAhead } from '../database/time.ts'
import { sessions, users } from '../database/schema/index.ts'
import { type TokenSubject, tokenSubject } from './users.ts'
import { isAlive } from './session-lifetime.ts'
import { type LiveSession, midnightAfter, proof, remainingLife } from './sessions.ts'
import { type SessionLimits } from '../config/config.ts'

/** Moves a session on by its refresh token. @returns undefined where the presented token is not good */
export type RotateSession = (presented: RefreshClaims) => Promise<(LiveSession & { user: TokenSubject }) | undefined>

const isUnanswered = (counter: SQL) => sql`${sessions.unansweredCounter} = ${counter}`

/**
 * Less than so many seconds lie between the rotation and now, in either direction: a clock that was set back finds
 * rotations in its future. The clock's own time, since now() may be before a rotation for which the statement waited.
 */
const wasRotatedWithin = (seconds: number) =>
  sql`abs(extract(epoch from clock_timestamp() - ${sessions.rotatedAt})) < ${seconds}::double precision`

/** Whether the predecessor may come again, beside its being that. Rotation and detection of reuse ask the same. */
const mayComeAgain = (counter: SQL, { reuseInterval }: SessionLimits) =>
  sql`coalesce(${isUnanswered(counter)}, false) or coalesce(${wasRotatedWithin(reuseInterval)}, false)`

/**
 * One rotation, one statement: the token with the present counter moves it on; its predecessor, within the interval or
 * after an answer of 503, finds it moved on and gets what is there. The second to reach the row waits for the first
 * and sees what it did.
 */
export function prepareRotateSession(db: Db, limits: SessionLimits, requireVerifiedEmail = false): RotateSession {
  const counter = sql`${sql.placeholder('counter')}::integer`
  const isPresent = sql`${sessions.refreshCounter} = ${counter}`
  const isGoodPredecessor = sql`${sessions.refreshCounter} = ${counter} + 1 and (${mayComeAgain(counter, limits)})`
  const statement = db
    .update(sessions)
    .set({
      refreshCounter: sql`${counter} + 1`,
      rotatedAt: sql`case when ${isPresent} or ${isUnanswered(counter)} then now() else ${sessions.rotatedAt} end`,
      unansweredCounter: null,
      lastUsedAt: sql`now()`,
      sweepAfter: midnightAfter(sql`least(${sessions.expiresAt}, ${secondsAhead(limits.idle)})`)
    })
    .from(users)
    .where(
      and(
        eq(sessions.id, sql.placeholder('sessionId')),
        eq(users.id, sessions.userId),
        eq(users.isDisabled, false),
        // Of a user whose address must be verified and is no longer: the session goes on when it is.
        requireVerifiedEmail ? eq(users.emailVerified, true) : undefined,
        isAlive(limits),
        or(isPresent, isGoodPredecessor)
      )
    )
    .returning({ counter: sessions.refreshCounter, remaining: remainingLife(limits), ...proof, user: tokenSubject })
    .prepare('rotate_session')

  return async ({ sessionId, counter }) => {
    const [row] = await statement.execute({ sessionId, counter })
    return row && { ...row, sessionId }
  }
}

/** Ends the session whose refresh token was used after a later one was, if that is so. @returns its user */
export async function deleteReusedSession(
  db: Db,
  presented: RefreshClaims,
  limits: SessionLimits
): Promise<number | undefined> {
  const [row] = await db
    .delete(sessions)
    .where(
      and(
        eq(sessions.id, presented.sessionId),
        or(
          gt(sessions.refreshCounter, presented.counter + 1),
          and(
            eq(sessions.refreshCounter, presented.counter + 1),
            sql`not (${mayComeAgain(sql`${presented.counter}::integer`, limits)})`
          )
        )
      )
    )
    .returning({ userId: sessions.userId })
  return row?.userId
}

/** Whether a refresh token is the one before the present token. */
export async function isPredecessor(db: Db, { sessionId, counter }: RefreshClaims): Promise<boolean> {
  const predecessors = and(eq(sessions.id, sessionId), eq(sessions.refreshCounter, counter + 1))
  return (await db.$count(sessions, predecessors)) > 0
}

/**
 * Lets a refresh token come again, however late, whose use was answered with 503 although it was good and had moved the
 * session on. Waits for a rotation that is under way.
 * @param age seconds since the token was first presented: it is judged as of then
 * @returns whether the token is still the present one, so that its rotation may yet arrive
 */
export async function markUnanswered(
  db: Db,
  { sessionId, counter }: RefreshClaims,
  age: number,
  { reuseInterval }: SessionLimits
): Promise<boolean> {
  const wasGood = sql`${sessions.refreshCounter} = ${counter}::integer + 1 and ${wasRotatedWithin(age + reuseInterval + clockStep)}`
  const [row] = await db
    .update(sessions)
    // Not in the condition: that would be asked of the row as it was before the rotation, and not wait.
    .set({
      unansweredCounter: sql`case when ${wasGood} then ${counter}::integer else ${sessions.unansweredCounter} end`
    })
    .where(eq(sessions.id, sessionId))
    .returning({ counter: sessions.refreshCounter })
  return row?.counter === counter
}

/** Seconds that the database's clock may lose or gain where another server takes over. */
const clockStep = 5

/** What a refresh token says: the session, and how often its token had been rotated when it was issued. */
export interface RefreshClaims {
  sessionId: string
  counter: number
}
