import { and, desc, eq, inArray, ne, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import type { Origin } from '../origin.ts'
import { onlyRow } from '../database/rows.ts'
import { sessions } from '../database/schema/index.ts'
import { secondsAhead } from '../database/time.ts'
import { sessionEnd, isAlive } from './session-lifetime.ts'
import { type SessionLifetime, type SessionLimits } from '../config/config.ts'

/** How a user proved who they are, in the terms of RFC 8176. */
export type AuthenticationMethod = 'pwd'

/** The proof that a session rests on; its tokens tell of it. */
export interface SessionProof {
  methods: AuthenticationMethod[]
  /** Seconds since the epoch by the database's clock. */
  at: number
}

/** A session as its owner and administrators see it. */
export type SessionView = Awaited<ReturnType<typeof findSessions>>[number]

/** A session as its owner needs it now: which refresh token is good, and for how many seconds. */
export interface LiveSession extends SessionProof {
  sessionId: string
  counter: number
  remaining: number
}

/** What the session's user proved, and when; a session from before these columns began with a password. */
export const proof = {
  methods: sql`coalesce(${sessions.amr}, '{pwd}')`.mapWith(sessions.amr) as SQL<AuthenticationMethod[]>,
  at: sql<number>`floor(extract(epoch from coalesce(${sessions.authTime}, ${sessions.createdAt})))`.mapWith(Number)
}

export const remainingLife = (limits: SessionLifetime) =>
  sql<number>`ceil(extract(epoch from ${sessionEnd(limits)} - now()))`.mapWith(Number)

export const midnightAfter = (moment: SQL) => sql`date_trunc('day', ${moment}) + interval '1 day'`

export async function insertSession(
  db: Db,
  userId: number,
  methods: AuthenticationMethod[],
  client: Pick<Origin, 'ip' | 'userAgent'>,
  limits: SessionLimits
): Promise<LiveSession> {
  const remaining = Math.min(limits.idle, limits.absolute)
  const rows = await db
    .insert(sessions)
    .values({
      userId,
      amr: methods,
      authTime: sql`now()`,
      ip: client.ip,
      userAgent: client.userAgent?.slice(0, 512),
      expiresAt: secondsAhead(limits.absolute),
      sweepAfter: midnightAfter(secondsAhead(remaining))
    })
    .returning({ sessionId: sessions.id, ...proof })
  return { ...onlyRow(rows), counter: 0, remaining }
}

/** Keeps on a session that its user has proved again who they are. @returns undefined if it has ended */
export async function refreshProof(
  db: Db,
  sessionId: string,
  userId: number,
  methods: AuthenticationMethod[],
  limits: SessionLimits
): Promise<LiveSession | undefined> {
  const [row] = await db
    .update(sessions)
    .set({ amr: methods, authTime: sql`now()` })
    .where(and(eq(sessions.id, sessionId), eq(sessions.userId, userId), isAlive(limits)))
    .returning({ sessionId: sessions.id, counter: sessions.refreshCounter, remaining: remainingLife(limits), ...proof })
  return row
}

export async function findSessions(db: Db, userId: number, limits: SessionLimits) {
  return db
    .select({
      id: sessions.id,
      createdAt: sessions.createdAt,
      lastUsedAt: sessions.lastUsedAt,
      expiresAt: sessionEnd(limits),
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
