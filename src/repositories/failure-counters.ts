import { eq, inArray, like, lt, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { onlyRow } from '../database/rows.ts'
import { rateLimits, sessions, users } from '../database/schema/index.ts'
import { isAlive } from './session-lifetime.ts'
import { type SessionLifetime } from '../config/config.ts'
import type { UserRow } from './users.ts'

/** Failures that nobody has to wait for. */
export const freeFailures = 5

/** NIST SP 800-63B-4 §3.2.2: no more than 100 consecutive failures. */
export const maxFailures = 100

/** Seconds. */
export const maxWait = 15 * 60

/** Seconds: the wait after the hundredth failure and each that follows. Strangers alone can bring it about. */
export const lockout = 24 * 60 * 60

/** Days for which failures are remembered after their wait. */
export const remembrance = 30

const [free, most, longest, locked, days] = [freeFailures, maxFailures, maxWait, lockout, remembrance].map((value) =>
  sql.raw(String(value))
)

const memory = sql`make_interval(days => ${days})`

// A row has one time, that at which it is forgotten: the wait ends so much earlier.
const waitEnds = sql`${rateLimits.expire} - ${memory}`

/** The wait that follows so many failures: it doubles from one second to a quarter of an hour. */
const waitAfter = (failures: SQL) => sql`case
  when ${failures} >= ${most} then make_interval(secs => ${locked})
  when ${failures} >= ${free} then
    make_interval(secs => least(power(2, ${failures} - ${free}), ${longest}))
  else interval '0' end`

const isFree = sql`${rateLimits.points} < ${free}`

/** Seconds until the next attempt may be made. */
const remainingWait = sql<number>`case when ${isFree} then 0
  else greatest(0, ceil(extract(epoch from ${waitEnds} - now()))) end`

const toCounterKey = (user: SQL, device?: SQL) =>
  device === undefined ? sql`'failures:' || ${user}` : sql`'failures:' || ${user} || ':' || ${device}`

/** The counter of a user's failures, from everywhere or from a device that is theirs. */
export const toCounter = (userId: number, device?: string): string =>
  `failures:${String(userId)}${device === undefined ? '' : `:${device}`}`

/** An account as one who logs in finds it. Each wait is in seconds. */
export interface Account {
  /** Null where nobody has this name. */
  user: UserRow | null
  /** For those who come from nowhere in particular. */
  wait: number
  /** For this address, this session and this device, where they are the user's. */
  waitOfAddress: number
  waitOfSession: number
  waitOfDevice: number
  /** Addresses of the sessions that are alive. */
  addresses: string[]
  /** Whether the session is one of these. */
  ownsSession: boolean
}

/** What a login is looked up by; the keys that do not apply are null. */
export interface AccountQuestion {
  usernameKey: string | null
  emailKey: string | null
  /** The counter that stands for a user where there is none. */
  strangerKey: string
  network: string
  sessionId: string | null
  deviceId: string | null
}

/** Finds a user with all that decides whether a password may be tried, in one statement whether there is one or not. */
export function prepareFindAccount(db: Db, lifetime: SessionLifetime): (question: AccountQuestion) => Promise<Account> {
  const id = sql`${users.id}::text`
  const waitAt = (key: SQL) =>
    sql`coalesce((select ${remainingWait} from ${rateLimits} where ${rateLimits.key} = ${key}), 0)`.mapWith(Number)
  const placeholder = (name: keyof AccountQuestion) => sql`${sql.placeholder(name)}::text`
  const ofUser = sql`${sessions.userId} = ${users.id} and ${isAlive(lifetime)}`
  const statement = db
    .select({
      user: users,
      wait: waitAt(sql`coalesce(${toCounterKey(id)}, ${placeholder('strangerKey')})`),
      waitOfAddress: waitAt(toCounterKey(id, placeholder('network'))),
      waitOfSession: waitAt(toCounterKey(id, placeholder('sessionId'))),
      waitOfDevice: waitAt(toCounterKey(id, placeholder('deviceId'))),
      addresses:
        sql`(select coalesce(json_agg(distinct ${sessions.ip}) filter (where ${sessions.ip} is not null), '[]')::text from ${sessions} where ${ofUser})`.mapWith(
          (json: string) => JSON.parse(json) as string[]
        ),
      ownsSession: sql<boolean>`exists (select from ${sessions}
        where ${sessions.id} = ${placeholder('sessionId')}::uuid and ${ofUser})`
    })
    .from(sql`(values (true)) as asked`)
    .leftJoin(
      users,
      or(eq(users.usernameKey, sql.placeholder('usernameKey')), eq(users.emailKey, sql.placeholder('emailKey')))
    )
    .prepare('find_account')

  return async (question) => onlyRow(await statement.execute({ ...question }))
}

/** @returns the seconds until an attempt may be made on a counter */
export async function findWait(db: Db, key: string): Promise<number> {
  const [row] = await db
    .select({ wait: remainingWait.mapWith(Number) })
    .from(rateLimits)
    .where(eq(rateLimits.key, key))
  return row?.wait ?? 0
}

/**
 * Counts a failure and begins the wait that follows it.
 * @returns how many there are now; undefined where a wait was under way already, and nothing is counted
 */
export async function countFailure(db: Db, key: string): Promise<number | undefined> {
  const failures = sql`case when ${rateLimits.expire} <= now() then 1 else ${rateLimits.points} + 1 end`
  const [row] = await db
    .insert(rateLimits)
    .values({ key, points: 1, expire: sql`now() + ${memory}` })
    .onConflictDoUpdate({
      target: rateLimits.key,
      set: { points: failures, expire: sql`now() + ${memory} + ${waitAfter(failures)}` },
      setWhere: sql`${isFree} or ${waitEnds} <= now()`
    })
    .returning({ points: rateLimits.points })
  return row?.points
}

/** Forgets a counter's failures. @returns the seconds that were still to be waited */
export async function clearCounter(db: Db, key: string): Promise<number> {
  const [row] = await db
    .delete(rateLimits)
    .where(eq(rateLimits.key, key))
    .returning({ wait: remainingWait.mapWith(Number) })
  return row?.wait ?? 0
}

/** Forgets the failures of a user, from everywhere. */
export async function clearCounters(db: Db, userId: number): Promise<void> {
  const counter = toCounter(userId)
  await db.delete(rateLimits).where(or(eq(rateLimits.key, counter), like(rateLimits.key, `${counter}:%`)))
}

/** @returns how many of the expired rows are gone, at most `most`; other instances may do the same beside it */
export async function deleteExpiredCounters(db: Db, most: number): Promise<number> {
  const expired = db
    .select({ key: rateLimits.key })
    .from(rateLimits)
    .where(lt(rateLimits.expire, sql`now()`))
    .limit(most)
    .for('update', { skipLocked: true })
  const rows = await db.delete(rateLimits).where(inArray(rateLimits.key, expired)).returning({ key: rateLimits.key })
  return rows.length
}
