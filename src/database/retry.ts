import { setTimeout } from 'node:timers/promises'
import { driverError } from './errors.ts'

const mostTries = 3

// Milliseconds. A victim that tries again at once may take its lock before the survivor has woken, and the same deadlock
// then lasts until the survivor's statement is out of time.
const pause = 200

/** A deadlock's victim was rolled back, and those whom it stood in the way of go on: it tries again, a few times. */
export async function retryingDeadlocks<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      const code = driverError(error)?.code
      if ((code !== '40P01' && code !== '40001') || tries === mostTries) throw error
      await setTimeout(pause * (1 + Math.random()))
    }
  }
}
