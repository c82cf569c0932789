import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'

/** An application behind a proxy: it answers with the path and the headers that have reached it, and remembers the paths. */
export interface Application {
  url: string
  seen: string[]
}

export interface Reached {
  path: string
  headers: IncomingHttpHeaders
}

export async function startApplication(t: Test): Promise<Application> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.url ?? '')
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ path: request.url ?? '', headers: request.headers } satisfies Reached))
  })
  server.on('upgrade', ({ url = '', headers }: { url?: string; headers: IncomingHttpHeaders }, socket) => {
    seen.push(url)
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${String(headers.upgrade)}\r\n\r\nhello ${String(headers['x-auth-request-user'])}`
    )
  })
  // What Node does not take for HTTP another server might.
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException, socket) => {
    if (code.startsWith('HPE_')) seen.push(code)
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${String((server.address() as { port: number }).port)}`, seen }
}

/**
 * Runs a proxy on an example's configuration as it is, but for the addresses in it.
 * @param examples the file that it is started with, and those that this names
 */
export async function startProxy(
  t: Test,
  program: string,
  argumentsFor: (folder: string, file: string) => string[],
  examples: [URL, ...URL[]],
  port: number,
  replacements: [from: string, to: string][]
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-example-'))
  chmodSync(folder, 0o755)
  const unused = new Set(replacements.map(([from]) => from))
  const [file = ''] = examples.map((example) => {
    let text = readFileSync(example, 'utf8')
    for (const [from, to] of replacements) {
      if (text.includes(from)) unused.delete(from)
      text = text.replaceAll(from, () => to)
    }
    const copy = join(folder, basename(example.pathname))
    writeFileSync(copy, text)
    return copy
  })
  if (unused.size > 0) throw new Error(`The example must say "${[...unused].join('" and "')}"`)
  const child = spawn(program, argumentsFor(folder, file), {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const gone = new Promise((resolve) => child.once('exit', resolve))
  t.teardown(async () => {
    child.kill('SIGTERM')
    await gone
    rmSync(folder, { recursive: true, force: true })
  })
  while (!(await isReady(port))) {
    if (child.exitCode !== null) throw new Error(`${program} did not start: ${log}`)
    await delay(20)
  }
}

/** A proxy may listen before it has read where requests go. */
async function isReady(port: number): Promise<boolean> {
  const status = await fetch(`http://127.0.0.1:${String(port)}/`).then(
    (answer) => answer.status,
    () => 404
  )
  return status !== 404
}
