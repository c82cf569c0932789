import type { Database } from './database.ts'

export interface DatabaseOptions {
  url: string
  /** A direct connection for notifications, where a pooler stands between. */
  listenUrl: string
  poolSize: number
}

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
