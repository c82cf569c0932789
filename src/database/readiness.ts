import type { Db } from './database.ts'
import { countPendingMigrations } from './migrate.ts'

/** Whether the database answers and has this version's schema. */
export async function isReady(db: Db): Promise<boolean> {
  try {
    return (await countPendingMigrations(db)) === 0
  } catch {
    return false
  }
}
