import { createHash } from 'node:crypto'
import { recordEventWithMail } from '../accounts/requests.ts'
import { type AuditEvent, type Origin, recordEvent } from '../audit/events.ts'
import type { Db } from '../database/database.ts'
import { Problem } from '../errors.ts'
import type { RequestNote } from '../mail/outbox.ts'
import type { SessionLifetime } from '../sessions/lifetime.ts'
import { readLogin } from '../users/names.ts'
import { findUserByLogin, type UserRow } from '../users/queries.ts'
import { orClosed } from './closed.ts'
import { networkOf } from './network.ts'
import {
  type Account,
  clearCounter,
  clearCounters,
  counterOf,
  countFailure,
  findWait,
  freeFailures,
  mostFailures,
  prepareFindAccount
} from './queries.ts'

/** Where a password is typed. */
export interface Device {
  address?: string | undefined
  /** A session that the client has shown to have. */
  sessionId?: string | undefined
}

/** A password that is about to be tried, for a user or for a name that nobody has. */
export interface Attempt {
  user: UserRow | undefined
  counter: string
  /** Whether a failure is one of a login. */
  isLogin: boolean
}

/**
 * Waits between wrong passwords of one account, wherever they come from: five are free, then it is one second, doubling to
 * a quarter of an hour; after the hundredth, none is tried for 30 days (NIST SP 800-63B-4 §3.2.2).
 * Devices of the user, those from whose address or in whose name a session lives, are counted each for itself, so that no
 * stranger locks a user out there. A name that nobody has is counted like any other, so that nothing tells (CWE-204).
 */
export interface PasswordAttempts {
  /** Finds whom a login is for. @throws {Problem} `rate_limited`, before any hashing, while a wait lasts */
  begin: (login: string, device: Device) => Promise<Attempt>
  /** The same for a user who is logged in and has to show the password again. */
  beginAgain: (user: UserRow, sessionId: string) => Promise<Attempt>
  /**
   * Counts a wrong password, or a right one that does not open.
   * @param request what is asked for by mail with it, or would be if it were right: so that time does not tell (CWE-208)
   * @throws {Problem} `rate_limited` where others have used up the attempts meanwhile
   */
  failed: (attempt: Attempt, origin: Origin, request?: RequestNote) => Promise<void>
  /**
   * Forgets the failures that were counted with this attempt, in the transaction that acts on the right password, before
   * it changes users. @throws {Problem} `rate_limited` where a wait has begun meanwhile: a burst learns no more than a row
   */
  succeeded: (tx: Db, attempt: Attempt) => Promise<void>
  /** Forgets all failures of a user whose password was replaced, before the transaction changes users. */
  forget: (tx: Db, userId: number) => Promise<void>
}

export function createPasswordAttempts(db: Db, lifetime: SessionLifetime): PasswordAttempts {
  const findAccount = prepareFindAccount(db, lifetime)

  return {
    async begin(login, { address = '', sessionId }) {
      const name = readLogin(login)
      const keys = { usernameKey: null, emailKey: null, ...name }
      const strangerKey = strangerCounterOf('emailKey' in name ? name.emailKey : name.usernameKey)
      const network = networkOf(address)
      const account = await orClosed(findAccount({ ...keys, strangerKey, network, sessionId: sessionId ?? null }))
      const { device, wait } = judge(account, network, sessionId)
      if (wait > 0) throw rateLimited(wait)
      const user = account.user ?? undefined
      return { user, counter: user === undefined ? strangerKey : counterOf(user.id, device), isLogin: true }
    },

    async beginAgain(user, sessionId) {
      const counter = counterOf(user.id, sessionId)
      const wait = await orClosed(findWait(db, counter))
      if (wait > 0) throw rateLimited(wait)
      return { user, counter, isLogin: false }
    },

    async failed({ user, counter, isLogin }, origin, request) {
      const wait = await db.transaction(async (tx) => {
        const failures = await orClosed(countFailure(tx, counter))
        if (failures === undefined) return Math.max(1, await findWait(tx, counter))
        if (isLogin) await recordFailure(tx, origin, user?.id, request)
        // Where waits begin, and where only waiting is left; not for each that is turned away.
        if (failures === freeFailures || failures === mostFailures) {
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

    async forget(tx, userId) {
      await orClosed(clearCounters(tx, userId))
    }
  }
}

/** With `RATE_LIMIT=off`, and where no stranger tries: on the command line. */
export const uncountedAttempts = (db: Db): PasswordAttempts => ({
  begin: async (login) => ({ user: await findUserByLogin(db, login), counter: '', isLogin: true }),
  beginAgain: async (user) => ({ user, counter: '', isLogin: false }),
  async failed({ user, isLogin }, origin, request) {
    if (isLogin) await recordFailure(db, origin, user?.id, request)
  },
  succeeded: async () => undefined,
  forget: async () => undefined
})

async function recordFailure(db: Db, origin: Origin, userId?: number, request?: RequestNote): Promise<void> {
  const event: AuditEvent = { type: 'user.login_failed', userId }
  await (request === undefined ? recordEvent(db, origin, event) : recordEventWithMail(db, origin, event, request))
}

/** Which counter an attempt falls under: a session that the user has goes before an address where they have one. */
function judge(account: Account, network: string, sessionId: string | undefined): { device?: string; wait: number } {
  if (sessionId !== undefined && account.ownsSession) return { device: sessionId, wait: account.waitOfSession }
  const isKnown = account.addresses.some((address) => networkOf(address) === network)
  return isKnown ? { device: network, wait: account.waitOfAddress } : { wait: account.wait }
}

/** A digest, since people also type passwords where the name belongs. */
const strangerCounterOf = (name: string) => `failures:${createHash('sha256').update(name).digest('base64url')}`

const rateLimited = (retryAfter: number) => new Problem('rate_limited', { retryAfter })
