import { setTimeout as delay } from 'node:timers/promises'
import { driverError } from './errors.ts'

const maxTries = 3

// Milliseconds. A victim that retries at once can take its lock again before the other transaction has woken: the same
// deadlock returns, and the other transaction's statement reaches `statement_timeout` before the second one is found.
const pause = 200

/**
 * Runs `work`, a transaction, up to three times while it ends as the victim of a deadlock or a serialization failure.
 * @throws what `work` threw last, when the third attempt fails too, and any other error at once
 */
export async function retryingDeadlocks<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      const code = driverError(error)?.code
      if ((code !== '40P01' && code !== '40001') || tries === maxTries) throw error
      await delay(pause * (1 + Math.random()))
    }
  }
}
