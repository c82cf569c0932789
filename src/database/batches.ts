/** Rows that are deleted or moved in one transaction: some milliseconds, far from a statement's deadline. */
export const batchSize = 500

/**
 * Takes batches until one is smaller than `batchSize`: then nothing is left, but for what comes meanwhile.
 * @param take takes at most `batchSize` rows, and returns how many it took
 * @returns how many rows were taken
 */
export async function inBatches(take: () => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const taken = await take()
    total += taken
    if (taken < batchSize) return total
  }
}
