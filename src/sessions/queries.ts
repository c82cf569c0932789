import { and, desc, eq, gt, inArray, ne, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { sessions, users } from '../database/schema/index.ts'
import type { RefreshClaims } from '../tokens/refresh-token.ts'
import type { Authentication, AuthenticationMethod, SessionProof } from './authentication.ts'
import { type TokenSubject, tokenSubject, type UserRow } from '../users/queries.ts'
import { endOf, isAlive, type SessionLifetime } from './lifetime.ts'

export interface SessionLimits extends SessionLifetime {
  /** Seconds for which a rotated token may come again. */
  reuseInterval: number
}

export type SessionRow = typeof sessions.$inferSelect

/** A session as its owner needs it now: which refresh token is good, and for how many seconds. */
export interface LiveSession extends SessionProof {
  sessionId: string
  counter: number
  remaining: number
}

const ahead = (seconds: number) => sql`now() + make_interval(secs => ${seconds})`

/** What the session's user proved, and when; a session from before these columns began with a password. */
const proof = {
  methods: sql`coalesce(${sessions.amr}, '{pwd}')`.mapWith(sessions.amr) as SQL<AuthenticationMethod[]>,
  at: sql<number>`floor(extract(epoch from coalesce(${sessions.authTime}, ${sessions.createdAt})))`.mapWith(Number)
}

const remainingLife = (limits: SessionLifetime) =>
  sql<number>`ceil(extract(epoch from ${endOf(limits)} - now()))`.mapWith(Number)

const midnightAfter = (moment: SQL) => sql`date_trunc('day', ${moment}) + interval '1 day'`

/**
 * Marks the login on the user as it was read, if they may still log in.
 * @returns undefined if the user was meanwhile disabled, deleted, or given another password or role
 */
export async function markLogin(db: Db, user: UserRow): Promise<UserRow | undefined> {
  const [row] = await db
    .update(users)
    .set({ lastLoginAt: sql`now()` })
    .where(
      and(
        eq(users.id, user.id),
        eq(users.version, user.version),
        eq(users.passwordVersion, user.passwordVersion),
        eq(users.isDisabled, false)
      )
    )
    .returning()
  return row
}

export async function insertSession(
  db: Db,
  { user, methods }: Authentication,
  client: { ip?: string; userAgent?: string | undefined },
  limits: SessionLimits
): Promise<LiveSession> {
  const remaining = Math.min(limits.idle, limits.absolute)
  const [row] = await db
    .insert(sessions)
    .values({
      userId: user.id,
      amr: methods,
      authTime: sql`now()`,
      ip: client.ip,
      userAgent: client.userAgent?.slice(0, 512),
      expiresAt: ahead(limits.absolute),
      sweepAfter: midnightAfter(ahead(remaining))
    })
    .returning({ sessionId: sessions.id, ...proof })
  if (row === undefined) throw new Error('INSERT … RETURNING gave no row')
  return { ...row, counter: 0, remaining }
}

/** Keeps on a session that its user has proved again who they are. @returns undefined if it has ended */
export async function refreshProof(
  db: Db,
  sessionId: string,
  { user, methods }: Authentication,
  limits: SessionLimits
): Promise<LiveSession | undefined> {
  const [row] = await db
    .update(sessions)
    .set({ amr: methods, authTime: sql`now()` })
    .where(and(eq(sessions.id, sessionId), eq(sessions.userId, user.id), isAlive(limits)))
    .returning({
      sessionId: sessions.id,
      counter: sessions.refreshCounter,
      remaining: remainingLife(limits),
      ...proof
    })
  return row
}

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
 * after an answer of 503, finds it moved on and gets what is there. Whoever comes second to the row waits for the first
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
      sweepAfter: midnightAfter(sql`least(${sessions.expiresAt}, ${ahead(limits.idle)})`)
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
    .returning({
      counter: sessions.refreshCounter,
      remaining: remainingLife(limits),
      ...proof,
      user: tokenSubject
    })
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

export async function findSessions(db: Db, userId: number, limits: SessionLimits) {
  return db
    .select({
      id: sessions.id,
      createdAt: sessions.createdAt,
      lastUsedAt: sessions.lastUsedAt,
      expiresAt: endOf(limits),
      ip: sessions.ip,
      userAgent: sessions.userAgent
    })
    .from(sessions)
    .where(and(eq(sessions.userId, userId), isAlive(limits)))
    .orderBy(desc(sessions.lastUsedAt))
}

/** @returns its user, if it was there */
export async function deleteSession(db: Db, id: string): Promise<number | undefined> {
  const [row] = await db.delete(sessions).where(eq(sessions.id, id)).returning({ userId: sessions.userId })
  return row?.userId
}

/** @returns the ids of those that were there */
export async function deleteSessions(
  db: Db,
  userId: number,
  which: { only: string } | { except: string } | 'all'
): Promise<string[]> {
  const condition =
    which === 'all' ? undefined : 'only' in which ? eq(sessions.id, which.only) : ne(sessions.id, which.except)
  const rows = await db
    .delete(sessions)
    .where(and(eq(sessions.userId, userId), condition))
    .returning({ id: sessions.id })
  return rows.map(({ id }) => id)
}

/** Keeps the sessions that were used last. @returns the ids of the others, which are gone */
export async function deleteSurplusSessions(db: Db, userId: number, most: number): Promise<string[]> {
  const surplus = db
    .select({ id: sessions.id })
    .from(sessions)
    .where(eq(sessions.userId, userId))
    .orderBy(desc(sessions.lastUsedAt))
    .offset(most)
  const rows = await db.delete(sessions).where(inArray(sessions.id, surplus)).returning({ id: sessions.id })
  return rows.map(({ id }) => id)
}
