import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** What a README tells to do: what starts the example, line by line, and then what to try, with what that prints. */
export interface Walk {
  start: string[]
  tries: { script: string; prints: string | undefined }[]
}

export function readWalk(folder: string): Walk {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```sh\n(.*?)```(?:\n\n```http\n(.*?)```)?/gs)]
  const [[, start = ''] = [], ...tries] = blocks
  return {
    start: start.trim().split('\n'),
    tries: tries.map(([, script = '', prints]) => ({ script, prints }))
  }
}

/** A program of an example, running in a process group of its own. */
export interface Running {
  stop: () => Promise<void>
}

const limit = 180_000

/**
 * Runs a command until it has ended well, or serves one of the ports that nothing has served before.
 * @returns undefined where it has ended
 */
export async function run(command: string, cwd: string, ports: number[]): Promise<Running | undefined> {
  const open = new Set((await Promise.all(ports.map(async (port) => ((await isOpen(port)) ? [port] : [])))).flat())
  const child = spawn('sh', ['-c', command], { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  const log = collect(child)
  const deadline = Date.now() + limit
  while (child.exitCode === null && child.signalCode === null) {
    for (const port of ports) if (!open.has(port) && (await isOpen(port))) return { stop: () => stop(child, closed) }
    if (Date.now() > deadline) {
      await stop(child, closed)
      throw new Error(`"${command}" neither ends nor serves:\n${log()}`)
    }
    await delay(50)
  }
  await closed
  if (child.exitCode !== 0) throw new Error(`"${command}" failed:\n${log()}`)
  return undefined
}

async function stop(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  // With what it has started itself.
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
  await closed
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      // Of a port that nobody serves the kernel may make the other end as well, and connect the socket to itself.
      const isOwn = socket.localPort === port
      socket.destroy()
      resolve(!isOwn)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}

/** One shell for all that is tried in an example, as one terminal has it: variables stay. */
export async function tryIn(cwd: string, tries: Walk['tries']): Promise<void> {
  const mark = '--- next ---'
  const script = tries.map((step) => `${step.script}\necho\necho '${mark}'`).join('\n')
  const child = spawn('sh', ['-c', script], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const log = collect(child)
  await closed
  const printed = log().replaceAll('\r', '').split(mark)
  for (const [index, { script: command, prints }] of tries.entries()) {
    const actual = printed[index]?.trim() ?? ''
    if (prints !== undefined && !patternOf(prints).test(actual)) {
      throw new Error(`${command}prints\n${actual}\nand not\n${prints}`)
    }
  }
}

/** `…` is anything. */
function patternOf(prints: string): RegExp {
  const escaped = prints.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('…', '[^]*?')}$`)
}

function collect(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return () => text
}
