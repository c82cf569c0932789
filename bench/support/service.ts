import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { generateMissingKeys } from '../../src/keys/key-files.ts'
import { freePort, startPostgres } from '../../test/support/postgres-server.ts'

/** The built service as it is shipped, in production mode, in a process of its own. */
export interface BuiltService {
  url: string
  process: ChildProcess
  /** Milliseconds from the start of the process to the first 200 of /health/ready. */
  readyAfter: number
  env: Record<string, string>
  stop: () => Promise<void>
}

const built = ['dist/cli/gatehouse.js', 'serve']

/** @param program another than the command line, with the arguments of `node` */
export async function startBuilt(env: Record<string, string>, program = built): Promise<BuiltService> {
  const port = await freePort()
  const complete = {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    RATE_LIMIT: 'off',
    ...env,
    ISSUER: 'http://127.0.0.1',
    PORT: String(port)
  }
  const url = `http://127.0.0.1:${String(port)}`
  const started = performance.now()
  const child = launch(program, { PATH: process.env.PATH, ...complete })
  while (!(await isReady(url))) {
    if (child.exitCode !== null) throw new Error('The service did not start')
    await delay(2)
  }
  return { url, process: child, readyAfter: performance.now() - started, env: complete, stop: () => stop(child) }
}

/** A module of TypeScript as a server on a port of its own. */
export async function startPeer(
  module: string
): Promise<{ url: string; process: ChildProcess; stop: () => Promise<void> }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${String(port)}`
  const child = launch(['--import=tsx', module], { ...process.env, NODE_ENV: 'production', PORT: String(port) })
  while (!(await isListening(url))) await delay(10)
  return { url, process: child, stop: () => stop(child) }
}

/** A process that ends with this one, also where a benchmark throws. */
function launch(args: string[], env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const kill = () => child.kill()
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** Keys as an operator makes them. */
export async function makeKeys(): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-keys-'))
  generateMissingKeys(dir)
  process.on('exit', () => {
    rmSync(dir, { recursive: true, force: true })
  })
  return dir
}

/** A server with PostgreSQL's defaults: `fsync` on. */
export const startDatabase = () => startPostgres({ durable: true })

/** Resident memory in MiB. */
export function residentMemory(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))
  return Number(kib?.[1] ?? NaN) / 1024
}

/** Seconds of processor time that a process and its threads have used. */
export function processorTime(pid: number): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const isReady = (url: string) =>
  fetch(`${url}/health/ready`).then(
    (answer) => answer.status === 200,
    () => false
  )

const isListening = (url: string) =>
  fetch(url).then(
    () => true,
    () => false
  )

async function stop(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}
