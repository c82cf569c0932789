import { RateLimiterDrizzle, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Db } from '../database/database.ts'
import { isUnavailable } from '../database/errors.ts'
import { rateLimits } from '../database/schema/index.ts'
import type { Limit, LimitName, Limits } from '../config/limits.ts'

export interface Limiter {
  /**
   * Takes one of the attempts that a limit leaves to a key.
   * @param whole what the key is a part of: it has the same limit, and of each part only the first attempt counts
   * against it, so that those that come again use up nobody else's
   * @returns 0, or the seconds to wait where none is left
   */
  take: (name: LimitName, key: string, whole?: string) => Promise<number>
  /** @returns 0, or the seconds to wait, without taking an attempt */
  waitOf: (name: LimitName, key: string) => Promise<number>
}

/** With `RATE_LIMIT=off`. */
export const noLimiter: Limiter = { take: async () => 0, waitOf: async () => 0 }

/**
 * Counts for all instances together, in one statement an attempt, so that a burst cannot get past the count.
 * While the database is out of reach that throws, as whatever is limited would; where the table alone fails,
 * each instance goes on counting for itself, so that limits hold meanwhile.
 * @param onFault is told of what the database throws in that case
 */
export function createLimiter(db: Db, limits: Limits, onFault: (error: unknown) => void): Limiter {
  const counters = Object.fromEntries(
    Object.entries<Limit>(limits).map(([name, { attempts, within, in: place }]) => {
      const options = { keyPrefix: name, points: attempts, duration: within }
      const inMemory = new RateLimiterMemory(options)
      const inDatabase = new RateLimiterDrizzle({
        ...options,
        storeClient: db,
        schema: rateLimits,
        // plugins/sweeper.ts does it, and once for all instances.
        clearExpiredByTimeout: false,
        // Who has none left costs no statement until there is one again.
        inMemoryBlockOnConsumed: attempts
      })
      return [name, place === 'memory' ? { counter: inMemory } : { counter: inDatabase, insurance: inMemory }]
    })
  ) as Record<LimitName, { counter: RateLimiterDrizzle | RateLimiterMemory; insurance?: RateLimiterMemory }>
  const inTurn = createQueue()

  return {
    async take(name, key, whole) {
      const { wait, isFirst } = await takeOne(name, key)
      if (whole === undefined || !isFirst || wait > 0) return wait
      return (await takeOne(name, whole)).wait
    },

    async waitOf(name, key) {
      const state = await counters[name].counter.get(key)
      return state === null || state.consumedPoints < limits[name].attempts ? 0 : toSeconds(state)
    }
  }

  function takeOne(name: LimitName, key: string): Promise<Taken> {
    const { counter, insurance } = counters[name]
    if (insurance === undefined) return consume(counter, key)
    return inTurn(`${name}:${key}`, async () => {
      try {
        return await consume(counter, key)
      } catch (error) {
        if (isUnavailable(error)) throw error
        onFault(error)
        return consume(insurance, key)
      }
    })
  }
}

interface Taken {
  wait: number
  /** Whether no other was taken before, since the limit's time began. */
  isFirst: boolean
}

/**
 * One at a time for each key: a burst would wait for its own row on every connection that there is. Those behind the last
 * attempt are refused without a statement, and those behind a fault by that fault.
 */
function createQueue(): (key: string, work: () => Promise<Taken>) => Promise<Taken> {
  const last = new Map<string, Promise<Taken>>()
  return (key, work) => {
    const mine = last.get(key)?.then(work) ?? work()
    const leave = () => {
      if (last.get(key) === mine) last.delete(key)
    }
    last.set(key, mine)
    mine.then(leave, leave)
    return mine
  }
}

async function consume(counter: RateLimiterDrizzle | RateLimiterMemory, key: string): Promise<Taken> {
  try {
    const { consumedPoints } = await counter.consume(key)
    return { wait: 0, isFirst: consumedPoints === 1 }
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return { wait: toSeconds(refusal), isFirst: false }
    throw refusal
  }
}

const toSeconds = ({ msBeforeNext }: RateLimiterRes) => Math.max(1, Math.ceil(msBeforeNext / 1000))
