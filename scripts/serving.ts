import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A service on a database in memory, in a process of its own. */
export interface Serving {
  url: string
  /** Ends it by SIGTERM, if it has not ended. @returns its exit status */
  stop: () => Promise<number | null>
}

/** Starts `gatehouse serve`, by the arguments that Node.js needs for it, and waits until it listens. */
export async function startServing(
  cwd: string,
  args: string[],
  settings: Record<string, string> = {}
): Promise<Serving> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', DATABASE_URL: 'pglite:memory', ...settings },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = once(child, 'exit')
  const { url, pid } = await listening(child)
  return {
    url,
    async stop() {
      if (child.exitCode === null) process.kill(pid, 'SIGTERM')
      return (await ended)[0] as number | null
    }
  }
}

/** Waits for the line of the log that tells where the service listens. */
async function listening({ stdout }: ChildProcess): Promise<{ url: string; pid: number }> {
  if (stdout === null) throw new Error('The service has no standard output')
  for await (const line of createInterface({ input: stdout })) {
    const { msg, pid } = JSON.parse(line) as { msg: string; pid: number }
    const [, url] = /^Server listening at (.*)$/.exec(msg) ?? []
    if (url !== undefined) return { url, pid }
  }
  throw new Error('The service ended before it listened')
}
