import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { extname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Piscina } from 'piscina'
import { Problem } from '../errors.ts'
import { packageFolder } from '../package-folder.ts'
import { createPace } from './pace.ts'
import { type Caller, createHashQueue, queued } from './queue.ts'
import { kindOfHash } from './schemes/index.ts'
import type { Argon2Cost } from './schemes/scheme.ts'
import type { HashTask, Verification, VerifyTask } from './worker.ts'

export type { Caller } from './queue.ts'

export interface Hasher {
  /** An argon2id PHC string. @throws {Problem} `overloaded`, at once, when too many hashes wait already */
  hash: (password: string, caller?: Caller) => Promise<string>
  /**
   * Whether the password is that of the hash, of whatever kind, whose own parameters count within bounds; without a
   * hash the answer is no. Every no takes as long as that of the costliest kind that there is.
   */
  verify: (hash: string | null | undefined, password: string, caller?: Caller) => Promise<boolean>
  /** Learns how long a stored hash takes, before anybody is made to wait for it. */
  learn: (hash: string) => Promise<void>
  /** Whether the hash is weaker than the present cost, or of another kind. */
  needsRehash: (hash: string) => boolean
  close: () => Promise<void>
}

// About half a second's work for a core.
export const maxWaitingPerThread = 32

/** Places beside those, for known clients alone. */
export const maxKnownWaitingPerThread = 8

/**
 * Hashes in threads of their own, one a core: neither the event loop nor anything on libuv's pool waits behind them,
 * and no more than a bounded number wait for a thread. Those who are known there go first, and have places of their own.
 * @param onUnreadableHash is told of a stored hash that is none, or would cost too much: its owner cannot log in until the password is reset
 * @param pause waits so many milliseconds: what a wrong password lacks of the time of the costliest kind
 */
export function createHasher(
  cost: Argon2Cost,
  onUnreadableHash: () => void = () => undefined,
  pause: (milliseconds: number) => Promise<unknown> = delay
): Hasher {
  const threads = availableParallelism()
  const queue = createHashQueue()
  const pool = new Piscina<HashTask | VerifyTask, string | Verification>({
    filename: pathToFileURL(join(packageFolder, `src/passwords/worker${extname(import.meta.filename)}`)).href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 60_000,
    maxQueue: threads * (maxWaitingPerThread + maxKnownWaitingPerThread),
    taskQueue: queue,
    // A task that no thread can take yet keeps its place.
    stricterFIFO: true
  })
  const dummy = unmatchableHash(cost)
  const pace = createPace()

  async function run(task: HashTask | VerifyTask, caller: Caller): Promise<string | Verification> {
    const isFull =
      caller === 'stranger'
        ? queue.waiting('stranger') >= threads * maxWaitingPerThread
        : queue.size >= threads * (maxWaitingPerThread + maxKnownWaitingPerThread)
    if (isFull) throw new Problem('overloaded')
    return pool.run(queued(task, caller))
  }

  /** @returns whether it matches, null where it cannot be told, and how long a refusal has to wait */
  async function verify(hash: string, passwords: string[], caller: Caller) {
    const verification = await run({ kind: 'verify', passwords, hash, cost, dummy }, caller)
    const { matches, took } = verification as Verification
    const each = took / passwords.length
    const kind = kindOfHash(matches === null ? dummy : hash) ?? ''
    // The first of several that matches is the only one that was tried.
    if (matches !== true || passwords.length === 1) pace.record(kind, each)
    return { matches, wait: () => pace.missing(kind, each) * passwords.length }
  }

  return {
    async hash(password, caller = 'stranger') {
      return (await run({ kind: 'hash', password: password.normalize('NFC'), cost }, caller)) as string
    },
    async verify(hash, password, caller = 'stranger') {
      // Without an account the dummy costs what a wrong password costs, so that time does not tell (CWE-208).
      // Ours are of the composed form; one from elsewhere may be of what was typed.
      const passwords = [...new Set([password.normalize('NFC'), password])]
      const { matches, wait } = await verify(hash ?? dummy, passwords, caller)
      if (matches === null) onUnreadableHash()
      if (hash != null && matches === true) return true
      // A hash from before the cost was raised is quicker, one that was imported may be slower. The time is waited, and
      // not computed: guessing makes the service do no more work than before.
      if (!pace.knows(kindOfHash(dummy) ?? '')) await verify(dummy, [''], caller)
      const missing = wait()
      if (missing >= 1) await pause(missing)
      return false
    },
    async learn(hash) {
      for (let time = 0; time < 3; time++) await verify(hash, [randomBytes(16).toString('base64url')], 'stranger')
    },
    needsRehash: (hash) => !hash.startsWith('$argon2id$v=19$') || isWeaker(hash, cost),
    close: () => pool.close({ force: true })
  }
}

function isWeaker(hash: string, cost: Argon2Cost): boolean {
  const parameters = /\$m=(\d+),t=(\d+),p=(\d+)\$/.exec(hash)
  return (
    parameters === null ||
    Number(parameters[1]) < cost.memoryCost ||
    Number(parameters[2]) < cost.timeCost ||
    Number(parameters[3]) !== cost.parallelism
  )
}

/** A PHC string of the given cost whose digest is random, so that no password is known to match it. */
function unmatchableHash({ memoryCost, timeCost, parallelism }: Argon2Cost): string {
  const random = (bytes: number) => randomBytes(bytes).toString('base64').replaceAll('=', '')
  const parameters = `m=${String(memoryCost)},t=${String(timeCost)},p=${String(parallelism)}`
  return `$argon2id$v=19$${parameters}$${random(16)}$${random(32)}`
}
