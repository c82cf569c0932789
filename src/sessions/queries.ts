import { and, desc, eq, gt, inArray, lte, ne, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { sessions, users } from '../database/schema/index.ts'
import type { RefreshClaims } from '../tokens/refresh-token.ts'
import type { Authentication, AuthenticationMethod, SessionProof } from './authentication.ts'
import { type TokenSubject, tokenSubject, type UserRow } from '../users/queries.ts'

/** Seconds: how long a session lives without use, how long at most, and how long a rotated token may come again. */
export interface SessionLimits {
  idle: number
  absolute: number
  reuseInterval: number
}

export type SessionRow = typeof sessions.$inferSelect

/** A session as its owner needs it now: which refresh token is good, and for how many seconds. */
export interface LiveSession extends SessionProof {
  sessionId: string
  counter: number
  remaining: number
}

const ago = (seconds: number) => sql`now() - make_interval(secs => ${seconds})`
const ahead = (seconds: number) => sql`now() + make_interval(secs => ${seconds})`

/** When a session ends unless it is used again. */
const endOf = (idle: number) =>
  sql<Date>`least(${sessions.expiresAt}, ${sessions.lastUsedAt} + make_interval(secs => ${idle}))`.mapWith(
    sessions.expiresAt
  )

/** What the session's user proved, and when; a session from before these columns began with a password. */
const proof = {
  methods: sql`coalesce(${sessions.amr}, '{pwd}')`.mapWith(sessions.amr) as SQL<AuthenticationMethod[]>,
  at: sql<number>`floor(extract(epoch from coalesce(${sessions.authTime}, ${sessions.createdAt})))`.mapWith(Number)
}

const remainingLife = (idle: number) => sql<number>`ceil(extract(epoch from ${endOf(idle)} - now()))`.mapWith(Number)

const midnightAfter = (moment: SQL) => sql`date_trunc('day', ${moment}) + interval '1 day'`

/** Neither of its limits has passed. */
export const isAlive = (idle: number) => and(gt(sessions.expiresAt, sql`now()`), gt(sessions.lastUsedAt, ago(idle)))

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
    .where(and(eq(sessions.id, sessionId), eq(sessions.userId, user.id), isAlive(limits.idle)))
    .returning({
      sessionId: sessions.id,
      counter: sessions.refreshCounter,
      remaining: remainingLife(limits.idle),
      ...proof
    })
  return row
}

/** Moves a session on by its refresh token. @returns undefined where the presented token is not good */
export type RotateSession = (presented: RefreshClaims) => Promise<(LiveSession & { user: TokenSubject }) | undefined>

/**
 * One rotation, one statement: the token with the present counter moves it on; its predecessor, within the interval,
 * finds it moved on and gets what is there. Whoever comes second to the row waits for the first and sees what it did.
 */
export function prepareRotateSession(db: Db, limits: SessionLimits): RotateSession {
  const counter = sql`${sql.placeholder('counter')}::integer`
  const isPresent = sql`${sessions.refreshCounter} = ${counter}`
  const isPredecessor = sql`${sessions.refreshCounter} = ${counter} + 1 and ${sessions.rotatedAt} > ${ago(limits.reuseInterval)}`
  const statement = db
    .update(sessions)
    .set({
      refreshCounter: sql`${counter} + 1`,
      rotatedAt: sql`case when ${isPresent} then now() else ${sessions.rotatedAt} end`,
      lastUsedAt: sql`now()`,
      sweepAfter: midnightAfter(sql`least(${sessions.expiresAt}, ${ahead(limits.idle)})`)
    })
    .from(users)
    .where(
      and(
        eq(sessions.id, sql.placeholder('sessionId')),
        eq(users.id, sessions.userId),
        eq(users.isDisabled, false),
        isAlive(limits.idle),
        // "After now" would not do for no interval: now() is when a statement began, and one that began before may wait for it.
        limits.reuseInterval > 0 ? or(isPresent, isPredecessor) : isPresent
      )
    )
    .returning({
      counter: sessions.refreshCounter,
      remaining: remainingLife(limits.idle),
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
          and(eq(sessions.refreshCounter, presented.counter + 1), lte(sessions.rotatedAt, ago(limits.reuseInterval)))
        )
      )
    )
    .returning({ userId: sessions.userId })
  return row?.userId
}

export async function findSessions(db: Db, userId: number, limits: SessionLimits) {
  return db
    .select({
      id: sessions.id,
      createdAt: sessions.createdAt,
      lastUsedAt: sessions.lastUsedAt,
      expiresAt: endOf(limits.idle),
      ip: sessions.ip,
      userAgent: sessions.userAgent
    })
    .from(sessions)
    .where(and(eq(sessions.userId, userId), isAlive(limits.idle)))
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
