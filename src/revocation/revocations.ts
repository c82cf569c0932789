import { isHeldByClient } from '../clients/queries.ts'
import type { Database } from '../database/database.ts'
import { clockLeeway, type Revocable } from '../tokens/claims.ts'
import { createFindUserOfToken } from '../users/of-token.ts'
import { createRevocationList } from './list.ts'
import { channel, decode, findRevocationsSince, type Revocation } from './queries.ts'

export interface Revocations {
  /**
   * Whether an access token, or the authentication of a service, was made void. Answered from memory while notifications arrive,
   * from the database while they do not.
   */
  isRevoked: (principal: Revocable) => boolean | Promise<boolean>
  /** Takes effect in this instance at once; the others hear of it from the database. */
  remember: (entries: Revocation[]) => void
  /** How many are in memory. */
  size: () => number
  close: () => Promise<void>
}

export interface RevocationsOptions {
  database: Database
  /** Seconds that an access token lives. */
  accessTokenLifetime: number
  onChange: (state: 'listening' | 'lost') => void
}

// Seconds by which a transaction may have begun, and stamped its revocations, before it committed.
const longestTransaction = 60
// Milliseconds.
const retryDelay = 100
const forgetInterval = 10_000

/** Keeps up with the revocations of all instances, and resolves when those from before the start are known. */
export async function startRevocations(options: RevocationsOptions): Promise<Revocations> {
  const { db } = options.database
  const window = options.accessTokenLifetime + clockLeeway
  const findUserOfToken = createFindUserOfToken(db)
  const list = createRevocationList(window + longestTransaction)
  let upToDate = false
  // Counts subscriptions and losses: a load that was begun before the latest of them proves nothing.
  let epoch = 0
  let ready: () => void = () => undefined
  const started = new Promise<void>((resolve) => (ready = resolve))

  async function catchUp(): Promise<void> {
    const begun = epoch
    try {
      const missed = await findRevocationsSince(db, window + longestTransaction)
      for (const entry of missed) list.add(entry)
      if (begun !== epoch) return
      upToDate = true
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
      ? (await findUserOfToken(principal)) === undefined
      : !(await isHeldByClient(db, principal))

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
    size: list.size,
    async close() {
      epoch += 1
      clearInterval(forgetting)
      await subscription.close()
    }
  }
}
