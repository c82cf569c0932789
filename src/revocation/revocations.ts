import { clockLeeway, maxTransactionAge } from '../config/tolerances.ts'
import { isHeldByClient } from '../repositories/clients.ts'
import type { Database } from '../database/database.ts'
import type { SessionLifetime } from '../config/config.ts'
import type { Revocable } from '../tokens/claims.ts'
import { createFindUserByToken } from '../repositories/users-by-token.ts'
import { createRevocationList } from './list.ts'
import { channel, decode, findRevocationsSince, type Revocation } from '../repositories/revocations.ts'

export interface Revocations {
  /**
   * Whether an access token, or the authentication of a service, was made void. Answered from memory while notifications arrive,
   * from the database while they do not.
   */
  isRevoked: (principal: Revocable) => boolean | Promise<boolean>
  /** Takes effect in this instance at once; the others hear of it from the database. */
  remember: (entries: Revocation[]) => void
  /** Milliseconds since notifications were lost last and came back: 0 while they are lost, and without end where they never were. */
  listeningFor: () => number
  /** How many are in memory. */
  size: () => number
  close: () => Promise<void>
}

export interface RevocationsOptions {
  database: Database
  /** Seconds that an access token lives. */
  accessTokenLifetime: number
  session: SessionLifetime
  onChange: (state: 'listening' | 'lost') => void
}

// Milliseconds.
const retryDelay = 100
const forgetInterval = 10_000

/** Keeps up with the revocations of all instances, and resolves when those from before the start are known. */
export async function startRevocations(options: RevocationsOptions): Promise<Revocations> {
  const { db } = options.database
  // No token is good for longer, whatever its `exp` says: see readClaims.
  const window = options.accessTokenLifetime + clockLeeway + maxTransactionAge
  const findUserByToken = createFindUserByToken(db, options.session)
  const list = createRevocationList(window)
  let upToDate = false
  let listeningSince = -Infinity
  // Counts subscriptions and losses: a load that was begun before the latest of them proves nothing.
  let epoch = 0
  let ready: () => void = () => undefined
  const started = new Promise<void>((resolve) => (ready = resolve))

  async function catchUp(): Promise<void> {
    const begun = epoch
    try {
      const missed = await findRevocationsSince(db, window)
      for (const entry of missed) list.add(entry)
      if (begun !== epoch) return
      upToDate = true
      if (listeningSince === Infinity) listeningSince = performance.now()
      options.onChange('listening')
      ready()
    } catch {
      setTimeout(() => {
        if (begun === epoch) void catchUp()
      }, retryDelay)
    }
  }

  const isVoidInDatabase = async (principal: Revocable): Promise<boolean> =>
    principal.kind === 'user'
      ? (await findUserByToken(principal)) === undefined
      : !(await isHeldByClient(db, { ...principal, tokenId: principal.claims?.jti }, window))

  const subscription = await options.database.listen(channel, {
    onNotification(payload) {
      for (const entry of decode(payload)) list.add(entry)
    },
    onListening() {
      epoch += 1
      void catchUp()
    },
    onLost() {
      epoch += 1
      if (upToDate) options.onChange('lost')
      upToDate = false
      listeningSince = Infinity
    }
  })
  await started
  const forgetting = setInterval(list.forgetExpired, forgetInterval)
  forgetting.unref()

  return {
    isRevoked: (principal) => list.has(principal) || (upToDate ? false : isVoidInDatabase(principal)),
    remember(entries) {
      for (const entry of entries) list.add(entry)
    },
    listeningFor: () => Math.max(0, performance.now() - listeningSince),
    size: list.size,
    async close() {
      epoch += 1
      clearInterval(forgetting)
      await subscription.close()
    }
  }
}
