import type { DatabaseOptions } from '../config/config.ts'
import type { Database } from './database.ts'

/**
 * Opens `postgres://…`, `pglite:FOLDER` or `pglite:memory`.
 * The driver that is not asked for is not loaded: it costs start-up time and memory.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  if (options.url.startsWith('pglite:')) {
    const { openEmbedded } = await import('./embedded.ts')
    return openEmbedded(options.url.slice('pglite:'.length))
  }
  const { openPostgres } = await import('./postgres.ts')
  return openPostgres(options)
}
