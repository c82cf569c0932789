import type { DatabaseOptions } from '../config/config.ts'
import type { Database } from './database.ts'

/**
 * Opens `postgres://…`, `pglite:FOLDER` or `pglite:memory`.
 * The driver that is not asked for is not loaded: it costs start-up time and memory.
 * @param absent whether an embedded database that is not there is made
 */
export async function openDatabase(options: DatabaseOptions, absent: 'make' | 'refuse' = 'make'): Promise<Database> {
  if (options.url.startsWith('pglite:')) {
    const { openEmbedded } = await import('./embedded.ts')
    return openEmbedded(options.url.slice('pglite:'.length), absent)
  }
  const { openPostgres } = await import('./postgres.ts')
  return openPostgres(options)
}
