import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { cheapHashes, createFolder } from './service.ts'

// The build, as it is run in production; V8 alone is told to spend nothing on making PGlite faster.
export const commandLine = [
  '--liftoff-only',
  fileURLToPath(new URL('../../.tap/compiled/cli/gatehouse.js', import.meta.url))
]

export interface Ending {
  status: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  env?: Record<string, string>
  /** What it reads on standard input. */
  input?: string
  /** The folder in which it runs; an empty one unless named. */
  cwd?: string
  /** The arguments with which Node starts it; the build of this folder unless named. */
  program?: string[]
}

/** Runs `gatehouse` to its end, in an environment that holds nothing but `env`. */
export async function gatehouse(t: Test, args: string[], options: RunOptions = {}): Promise<Ending> {
  const child = start(t, args, options)
  child.stdin?.end(options.input ?? '')
  return ending(child)
}

/** A `gatehouse serve` in a process of its own. */
export interface ServingProcess {
  url: string
  process: ChildProcess
  /** What it has logged so far. */
  log: LogLine[]
  /** Resolves once a line with this message is logged. */
  logged: (message: string) => Promise<LogLine>
  ending: Promise<Ending>
}

export interface LogLine {
  msg: string
  level: number
  [key: string]: unknown
}

/** Starts `gatehouse serve` on a free port and waits until it listens. It is killed when the test ends. */
export async function serve(t: Test, env: Record<string, string>, options: RunOptions = {}): Promise<ServingProcess> {
  const child = start(t, ['serve'], {
    ...options,
    env: { PORT: '0', ISSUER: 'http://localhost', LOG_LEVEL: 'info', ...env }
  })
  const log: LogLine[] = []
  const waiting: [message: string, resolve: (line: LogLine) => void][] = []
  const finished = ending(child, (line) => {
    const entry = JSON.parse(line) as LogLine
    log.push(entry)
    for (const [message, resolve] of waiting) if (entry.msg.startsWith(message)) resolve(entry)
  })
  const logged = async (message: string) =>
    Promise.race([
      new Promise<LogLine>((resolve) => {
        const line = log.find(({ msg }) => msg.startsWith(message))
        if (line === undefined) waiting.push([message, resolve])
        else resolve(line)
      }),
      finished.then(({ status, stderr }) => {
        throw new Error(`It ended with ${String(status)} before it logged "${message}": ${stderr}`)
      })
    ])
  const listening = await logged('Server listening at ')
  return { url: listening.msg.slice('Server listening at '.length), process: child, log, logged, ending: finished }
}

function start(
  t: Test,
  args: string[],
  { env = {}, cwd = createFolder(t), program = commandLine }: RunOptions
): ChildProcess {
  const child = spawn(process.execPath, [...program, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...cheapHashes, ...env },
    stdio: 'pipe'
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

function ending(child: ChildProcess, onLine: (line: string) => void = () => undefined): Promise<Ending> {
  let stdout = ''
  let stderr = ''
  let unread = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
    unread += chunk
    const lines = unread.split('\n')
    unread = lines.pop() ?? ''
    lines.forEach(onLine)
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  return new Promise((resolve) =>
    child.once('close', (status) => {
      resolve({ status, stdout, stderr })
    })
  )
}
