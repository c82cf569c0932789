import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Piscina } from 'piscina'
import { Problem } from '../errors.ts'
import { packageFolder } from '../package-folder.ts'
import type { Argon2Cost } from './schemes/scheme.ts'
import type { HashTask } from './worker.ts'

export interface Hasher {
  /** An argon2id PHC string. @throws {Problem} `overloaded`, at once, when too many hashes wait already */
  hash: (password: string) => Promise<string>
  /**
   * Whether the password is that of the hash, of whatever kind, whose own parameters count within bounds; without a
   * hash the answer is no, at the cost of one of ours.
   */
  verify: (hash: string | null | undefined, password: string) => Promise<boolean>
  /** Whether the hash is weaker than the present cost, or of another kind. */
  needsRehash: (hash: string) => boolean
  close: () => Promise<void>
}

// About half a second's work for a core.
const mostWaitingPerThread = 32

/**
 * Hashes in threads of their own, one a core: neither the event loop nor anything on libuv's pool waits behind them,
 * and no more than a bounded number wait for a thread.
 * @param onUnreadableHash is told of a stored hash that is none, or would cost too much: its owner cannot log in until the password is reset
 */
export function createHasher(cost: Argon2Cost, onUnreadableHash: () => void = () => undefined): Hasher {
  const threads = availableParallelism()
  const pool = new Piscina<HashTask, string | boolean | null>({
    filename: pathToFileURL(join(packageFolder, `src/passwords/worker${extname(import.meta.filename)}`)).href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 60_000,
    maxQueue: threads * mostWaitingPerThread
  })
  const dummy = unmatchableHash(cost)

  function run(task: HashTask): Promise<string | boolean | null> {
    if (pool.queueSize >= threads * mostWaitingPerThread) return Promise.reject(new Problem('overloaded'))
    return pool.run(task)
  }

  return {
    hash: async (password) => (await run({ kind: 'hash', password: password.normalize('NFC'), cost })) as string,
    async verify(hash, password) {
      // Without an account the dummy costs what a wrong password costs, so that time does not tell (CWE-208).
      // Ours are of the composed form; one from elsewhere may be of what was typed.
      const passwords = [...new Set([password.normalize('NFC'), password])]
      const matches = await run({ kind: 'verify', passwords, hash: hash ?? dummy, cost })
      if (matches === null) {
        onUnreadableHash()
        await run({ kind: 'verify', passwords, hash: dummy, cost })
      }
      return hash != null && matches === true
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
