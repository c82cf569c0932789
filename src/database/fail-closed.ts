import { isUnavailable } from './errors.ts'
import { Problem } from '../errors.ts'

/**
 * For counts that must be kept: whatever is wrong with them, what they limit is not done.
 * @throws {Problem} `unavailable`
 */
export async function orClosed<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isUnavailable(error)) throw error
    throw new Problem('unavailable', { cause: error })
  }
}
