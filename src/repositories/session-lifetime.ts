import { and, gt, sql } from 'drizzle-orm'
import { sessions } from '../database/schema/index.ts'
import { secondsAgo } from '../database/time.ts'
import type { SessionLifetime } from '../config/config.ts'

/**
 * The absolute end of a session, by the limit that it began with or the present one, whichever comes first: a limit
 * that is made stricter holds for the sessions that are there.
 */
const absoluteEnd = (absolute: number) =>
  sql`least(${sessions.expiresAt}, ${sessions.createdAt} + make_interval(secs => ${absolute}))`

/** When a session ends unless it is used again. */
export const sessionEnd = ({ idle, absolute }: SessionLifetime) =>
  sql<Date>`least(${absoluteEnd(absolute)}, ${sessions.lastUsedAt} + make_interval(secs => ${idle}))`.mapWith(
    sessions.expiresAt
  )

/** The absolute limit has not passed. The idle one is longer than an access token lives, and needs no look then. */
export const isWithinAbsoluteLimit = ({ absolute }: Pick<SessionLifetime, 'absolute'>) =>
  gt(absoluteEnd(absolute), sql`now()`)

/** Neither of its limits has passed. */
export const isAlive = (lifetime: SessionLifetime) =>
  and(isWithinAbsoluteLimit(lifetime), gt(sessions.lastUsedAt, secondsAgo(lifetime.idle)))
