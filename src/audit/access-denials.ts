import type { Db } from '../database/database.ts'
import { type Denial, insertDenial, writeDenialCounts } from '../repositories/access-denials.ts'

export interface Denials {
  /** Resolves once the event is written, or at once where the same denial has one already. */
  record: (denial: Denial) => Promise<void>
  /** Writes how often each denial came since the last time; the next of each is an event of its own again. */
  flush: () => Promise<void>
}

/** One caller, one route, until the next flush. */
interface Counter {
  /** Of the event. */
  id: Promise<number>
  count: number
}

/** More callers than that are counted apart: the one who was denied first begins anew. */
const maxCounters = 10_000

/**
 * Denials as events with a count. Who lacks a role can ask a thousand times a second, and a row for each would be the
 * cheapest way to fill the audit, and to bury in it what matters.
 */
export function createDenials(db: Db, max = maxCounters): Denials {
  let counters = new Map<string, Counter>()
  let uncounted: Counter[] = []

  return {
    async record({ origin, ...details }) {
      const key = JSON.stringify([origin.actorId, origin.actorClientId, details])
      const counter = counters.get(key)
      if (counter !== undefined) {
        counter.count += 1
        return
      }
      makeRoom()
      const id = insertDenial(db, { origin, ...details })
      const opened = { id, count: 1 }
      counters.set(key, opened)
      try {
        await id
      } catch (error) {
        // Otherwise those that follow would count for an event that is not there.
        if (counters.get(key) === opened) counters.delete(key)
        throw error
      }
    },

    async flush() {
      const counted = [...uncounted, ...Array.from(counters.values()).filter(wasRepeated)].slice(0, max)
      counters = new Map()
      uncounted = []
      try {
        await writeCounts(db, counted)
      } catch (error) {
        // For the next time.
        uncounted = counted
        throw error
      }
    }
  }

  function makeRoom(): void {
    const [oldest] = counters
    if (counters.size < max || oldest === undefined) return
    const [key, counter] = oldest
    counters.delete(key)
    if (wasRepeated(counter) && uncounted.length < max) uncounted.push(counter)
  }
}

const wasRepeated = ({ count }: Counter) => count > 1

async function writeCounts(db: Db, counters: Counter[]): Promise<void> {
  const written = await Promise.all(
    counters.map(({ id, count }) =>
      id.then(
        (id) => [{ id, count }],
        () => []
      )
    )
  )
  await writeDenialCounts(db, written.flat())
}
