import type { Db } from './database.ts'
import { countPendingMigrations } from './migrate.ts'

// Milliseconds.
const remembered = 1000

/**
 * Whether the database answers and has this version's schema. Asked at most once a second and by one at a time, so that
 * strangers who ask all the time cost the database nothing.
 */
export function createReadiness(db: () => Db): () => Promise<boolean> {
  let answer: Promise<boolean> | undefined
  let askedAt = -Infinity
  let isPending = false
  return () => {
    if (answer !== undefined && (isPending || performance.now() - askedAt < remembered)) return answer
    askedAt = performance.now()
    isPending = true
    answer = isReady(db()).finally(() => {
      isPending = false
    })
    return answer
  }
}

async function isReady(db: Db): Promise<boolean> {
  try {
    return (await countPendingMigrations(db)) === 0
  } catch {
    return false
  }
}
