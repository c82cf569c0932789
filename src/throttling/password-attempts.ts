import { createHash } from 'node:crypto'
import type { SessionLifetime } from '../config/config.ts'
import type { Db } from '../database/database.ts'
import { orClosed } from '../database/fail-closed.ts'
import { Problem } from '../errors.ts'
import { readLogin } from '../names.ts'
import type { Origin } from '../origin.ts'
import type { Caller } from '../passwords/queue.ts'
import { type AuditEvent, recordEvent } from '../repositories/audit-events.ts'
import {
  type Account,
  type AccountQuestion,
  clearCounter,
  clearCounters,
  toCounter,
  countFailure,
  findWait,
  freeFailures,
  maxFailures,
  prepareFindAccount
} from '../repositories/failure-counters.ts'
import { type NewJob, recordEventWithJob } from '../repositories/jobs.ts'
import { findUserByLogin, type UserRow } from '../repositories/users.ts'
import type { Device, DeviceTokens } from '../tokens/device-token.ts'
import type { Limiter } from './limiter.ts'
import { toNetwork } from './network.ts'

/** Where a password is typed, and what shows that users have been there before. */
export interface Place {
  address?: string | undefined
  /** A session that the client has shown to have. */
  sessionId?: string | undefined
  /** What it has shown of earlier logins. */
  device?: Device | undefined
}

/** A password that is about to be tried, for a user or for a name that nobody has. */
export interface Attempt {
  user: UserRow | undefined
  counter: string
  /** Whether a failure is one of a login. */
  isLogin: boolean
  /** Whether the client has shown that the user is known there. */
  from: Caller
}

/**
 * Waits between wrong passwords of one account, wherever they come from: five are free, then it is one second, doubling to
 * a quarter of an hour; from the hundredth on it is a day (see NIST SP 800-63B-4 §3.2.2, and docs/decisions/0042).
 * Devices of the user, those on which they have logged in with the present password, or from whose address or in whose
 * name a session lives, are counted each for itself, so that no stranger locks a user out there.
 * A name that nobody has is counted like any other, so that nothing tells (CWE-204).
 */
export interface PasswordAttempts {
  /** Finds the user of a login. @throws {Problem} `rate_limited`, before any hashing, while a wait lasts */
  begin: (login: string, place: Place) => Promise<Attempt>
  /** The same for a user who is logged in and has to show the password again. */
  beginAgain: (user: UserRow, sessionId: string) => Promise<Attempt>
  /**
   * Counts a wrong password, or a right one that does not open.
   * @param job what is asked for by mail with it, or would be if it were right: so that time does not tell (CWE-208)
   * @throws {Problem} `rate_limited` where others have used up the attempts meanwhile
   */
  failed: (attempt: Attempt, origin: Origin, job?: NewJob) => Promise<void>
  /**
   * Forgets the failures that were counted with this attempt, in the transaction that acts on the right password, before
   * it changes users. @throws {Problem} `rate_limited` where a wait has begun meanwhile: a burst learns no more than a row
   */
  succeeded: (tx: Db, attempt: Attempt) => Promise<void>
  /** Forgets all failures of a user whose password was replaced, before the transaction changes users. */
  forget: (tx: Db, userId: number) => Promise<void>
}

export interface PasswordAttemptsOptions {
  db: Db
  lifetime: SessionLifetime
  devices: Pick<DeviceTokens, 'isOf'>
  limiter: Pick<Limiter, 'take'>
}

export function createPasswordAttempts({ db, lifetime, devices, limiter }: PasswordAttemptsOptions): PasswordAttempts {
  const findAccount = prepareFindAccount(db, lifetime)

  return {
    async begin(login, { address = '', sessionId, device }) {
      const name = readLogin(login)
      const keys = { usernameKey: null, emailKey: null, ...name }
      const strangerKey = strangerCounter('emailKey' in name ? name.emailKey : name.usernameKey)
      const network = toNetwork(address)
      const shown = { sessionId: sessionId ?? null, deviceId: device?.id ?? null }
      const account = await orClosed(findAccount({ ...keys, strangerKey, network, ...shown }))
      const user = account.user ?? undefined
      const isOwn = devices.isOf(device, user)
      // What came with a device of others was not counted by its address yet.
      const excess = device === undefined || isOwn ? 0 : await limiter.take('login', network)
      if (excess > 0) throw rateLimited(excess)
      const { counter, wait, from } = assess(account, network, shown, isOwn)
      if (wait > 0) throw rateLimited(wait)
      return { user, counter: user === undefined ? strangerKey : toCounter(user.id, counter), isLogin: true, from }
    },

    async beginAgain(user, sessionId) {
      const counter = toCounter(user.id, sessionId)
      const wait = await orClosed(findWait(db, counter))
      if (wait > 0) throw rateLimited(wait)
      return { user, counter, isLogin: false, from: 'known' }
    },

    async failed({ user, counter, isLogin }, origin, job) {
      const wait = await db.transaction(async (tx) => {
        const failures = await orClosed(countFailure(tx, counter))
        if (failures === undefined) return Math.max(1, await findWait(tx, counter))
        if (isLogin) await recordFailure(tx, origin, user?.id, job)
        // Where waits begin, and where only waiting is left; not for each that is turned away.
        if (failures === freeFailures || failures === maxFailures) {
          await recordEvent(tx, origin, { type: 'user.locked_out', userId: user?.id, details: { failures } })
        }
        return 0
      })
      if (wait > 0) throw rateLimited(wait)
    },

    async succeeded(tx, { counter }) {
      const wait = await orClosed(clearCounter(tx, counter))
      if (wait > 0) throw rateLimited(wait)
    },

    forget
  }
}

/** With `RATE_LIMIT=off`, and where no stranger tries: on the command line. */
export const uncountedAttempts = (db: Db, devices?: Pick<DeviceTokens, 'isOf'>): PasswordAttempts => ({
  async begin(login, { device }) {
    const user = await findUserByLogin(db, login)
    return { user, counter: '', isLogin: true, from: devices?.isOf(device, user) === true ? 'known' : 'stranger' }
  },
  beginAgain: async (user) => ({ user, counter: '', isLogin: false, from: 'known' }),
  async failed({ user, isLogin }, origin, job) {
    if (isLogin) await recordFailure(db, origin, user?.id, job)
  },
  succeeded: async () => undefined,
  forget
})

const forget: PasswordAttempts['forget'] = (tx, userId) => orClosed(clearCounters(tx, userId))

async function recordFailure(db: Db, origin: Origin, userId?: number, job?: NewJob): Promise<void> {
  const event: AuditEvent = { type: 'user.login_failed', userId }
  await (job === undefined ? recordEvent(db, origin, event) : recordEventWithJob(db, origin, event, job))
}

/**
 * Which counter of the user's an attempt falls under: a device goes before a session, and that before an address where
 * they have one. An address is shared with strangers.
 */
function assess(
  account: Account,
  network: string,
  { deviceId, sessionId }: Pick<AccountQuestion, 'deviceId' | 'sessionId'>,
  isOwn: boolean
): { counter?: string; wait: number; from: Caller } {
  if (deviceId !== null && isOwn) return { counter: deviceId, wait: account.waitOfDevice, from: 'known' }
  if (sessionId !== null && account.ownsSession) {
    return { counter: sessionId, wait: account.waitOfSession, from: 'known' }
  }
  const hasSessionHere = account.addresses.some((address) => toNetwork(address) === network)
  if (hasSessionHere) return { counter: network, wait: account.waitOfAddress, from: 'stranger' }
  return { wait: account.wait, from: 'stranger' }
}

/** A digest, since people also type passwords where the name belongs. */
const strangerCounter = (name: string) => `failures:${createHash('sha256').update(name).digest('base64url')}`

const rateLimited = (retryAfter: number) => new Problem('rate_limited', { retryAfter })
