import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'
import type { Database } from './database.ts'
import { EmbeddedDatabaseError } from './errors.ts'
import * as schema from './schema/index.ts'

/**
 * PostgreSQL in the process, on one connection and without fsync: to try the service, to develop and to test.
 * @param location a folder, or `memory`
 */
export async function openEmbedded(location: string): Promise<Database> {
  const unlock = location === 'memory' ? () => undefined : lockFolder(location)
  const client = await PGlite.create(location === 'memory' ? 'memory://' : location).catch((cause: unknown) => {
    unlock()
    throw new EmbeddedDatabaseError(
      `The embedded database in ${location} cannot be opened: check that the folder holds one, or move it away to begin anew`,
      { cause }
    )
  })
  const db = drizzle({ client, schema })
  return {
    db,
    exclusively: (work) => work(),
    migrate: (migrationsFolder) => migrate(db, { migrationsFolder }),
    async listen(channel, listener) {
      const unlisten = await client.listen(channel, listener.onNotification)
      listener.onListening()
      return { close: unlisten }
    },
    async close() {
      await client.close()
      unlock()
    }
  }
}

/** Two processes on one folder would corrupt it, and PGlite does not keep them apart. */
function lockFolder(folder: string): () => void {
  const file = `${resolve(folder)}.lock`
  mkdirSync(dirname(file), { recursive: true })
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
  } catch {
    const owner = Number(readFileSync(file, 'utf8'))
    if (owner !== process.pid && isRunning(owner)) {
      throw new EmbeddedDatabaseError(
        `The embedded database in ${folder} is in use by process ${String(owner)}: stop it first, or use PostgreSQL, which serves many at once`
      )
    }
    writeFileSync(file, String(process.pid))
  }
  return () => {
    rmSync(file, { force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
