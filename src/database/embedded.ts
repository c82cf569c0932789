import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'
import type { Database } from './database.ts'
import { EmbeddedDatabaseError } from './errors.ts'
import * as schema from './schema/index.ts'

/**
 * PostgreSQL in the process, on one connection and without fsync: to try the service, to develop and to test.
 * @param location a folder, or `memory`
 * @param absent what to do where there is no database yet: refusing leaves nothing behind
 */
export async function openEmbedded(location: string, absent: 'make' | 'refuse' = 'make'): Promise<Database> {
  if (absent === 'refuse') requireDatabase(location)
  const unlock = location === 'memory' ? () => undefined : takeFolder(location)
  const client = await createClient(location).catch((cause: unknown) => {
    unlock()
    throw new EmbeddedDatabaseError(
      'unusable',
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

/** A database that is being made has a mark in its folder, so that one that was never finished is known. */
async function createClient(location: string): Promise<PGlite> {
  if (location === 'memory') return PGlite.create('memory://')
  if (isDatabase(location)) return PGlite.create(location)
  const mark = join(location, unfinished)
  writeFileSync(mark, '')
  const client = await PGlite.create(location)
  rmSync(mark)
  flushFolder(location)
  return client
}

/** What is removed from a folder does not come back by a power cut. Windows flushes no folders. */
function flushFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}

const unfinished = 'UNFINISHED'

const isDatabase = (folder: string): boolean =>
  existsSync(join(folder, 'PG_VERSION')) && !existsSync(join(folder, unfinished))

/** The folder of a database, for this process alone and for no other user of the machine: PGlite's files are open to all. */
function takeFolder(folder: string): () => void {
  const unlock = lockFolder(folder)
  try {
    refuseOtherFiles(folder)
    // Nobody was told that it is there: nothing is lost with it.
    if (existsSync(join(folder, unfinished))) rmSync(folder, { recursive: true })
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return unlock
  } catch (error) {
    unlock()
    throw error
  }
}

/** @throws {EmbeddedDatabaseError} where there is no database that another process could have made */
function requireDatabase(location: string): void {
  if (location === 'memory') {
    const message = 'DATABASE_URL=pglite:memory is gone with the process that made it: name a folder or PostgreSQL'
    throw new EmbeddedDatabaseError('missing', message)
  }
  refuseOtherFiles(location)
  if (isDatabase(location)) return
  throw new EmbeddedDatabaseError(
    'missing',
    `There is no database in ${resolve(location)}: check DATABASE_URL, or make it with "gatehouse migrate"`
  )
}

/** PGlite makes a new database where it finds none, over what is left of one that was there. */
function refuseOtherFiles(folder: string): void {
  if (!existsSync(folder)) return
  const files = readdirSync(folder)
  if (files.length === 0 || files.includes('PG_VERSION') || files.includes(unfinished)) return
  throw new EmbeddedDatabaseError(
    'unusable',
    `The folder ${folder} holds files but no database (there is no PG_VERSION), and a new one would be made over them: bring it back from a backup, or move it away to begin anew`
  )
}

/** Two processes on one folder would corrupt it, and PGlite does not keep them apart. */
function lockFolder(folder: string): () => void {
  const file = `${resolve(folder)}.lock`
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const owner = Number(readFileSync(file, 'utf8'))
    if (owner > 0 && owner !== process.pid && isRunning(owner)) {
      throw new EmbeddedDatabaseError(
        'in use',
        `The embedded database in ${folder} is in use by process ${String(owner)}: stop it first, or use PostgreSQL, which serves many at once. If that is no Gatehouse, delete ${file}`
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
