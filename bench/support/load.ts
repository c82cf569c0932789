import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Load {
  url: string
  /** One of them for each request, in turn. */
  requests: { method?: string; path: string; headers?: Record<string, string>; body?: string }[]
  connections?: number
  /** At most so many; without it as many as there are answers. */
  atMost?: number
  seconds: number
}

export interface LoadResult {
  perSecond: number
  /** Answers with a status of 400 or more, and failures of the connection. */
  failed: number
  p99: number
}

/** Runs wrk: a closed loop of connections, from one thread. */
export async function load({ url, requests, connections = 32, atMost, seconds }: Load): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-wrk-'))
  const script = join(folder, 'requests.lua')
  writeFileSync(script, lua(requests, atMost === undefined ? 0 : (connections * 1000) / atMost))
  const output = await run('wrk', [
    '-t1',
    `-c${String(connections)}`,
    `-d${String(seconds)}s`,
    '-s',
    script,
    '--latency',
    url
  ])
  rmSync(folder, { recursive: true })
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1])
  const failed = Number(/^failed (\d+)$/m.exec(output)?.[1])
  const p99 = Number(/^p99 ([\d.]+)$/m.exec(output)?.[1]) / 1000
  return { perSecond, failed, p99 }
}

/** @param pause milliseconds between the requests of a connection */
function lua(requests: Load['requests'], pause: number): string {
  const text = JSON.stringify
  const formatted = requests.map(({ method = 'GET', path, headers = {}, body }) => {
    const pairs = Object.entries(headers).map(([name, value]) => `[${text(name)}]=${text(value)}`)
    return `wrk.format(${text(method)}, ${text(path)}, {${pairs.join(',')}}, ${body === undefined ? 'nil' : text(body)})`
  })
  return `
local requests = {}
init = function()
  requests = {${formatted.join(',\n')}}
end
local next = 0
${pause > 0 ? `function delay() return ${String(Math.round(pause))} end` : ''}
request = function()
  next = next + 1
  if next > #requests then next = 1 end
  return requests[next]
end
done = function(summary, latency)
  local e = summary.errors
  io.write("failed ", e.status + e.connect + e.read + e.write + e.timeout, "\\n")
  io.write("p99 ", latency:percentile(99), "\\n")
end
`
}

function run(command: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.once('error', () => {
      reject(new Error(`${command} is not installed: on Debian, apt-get install ${command}`))
    })
    child.once('exit', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${command} ended with ${String(code)}: ${output}`))
    })
  })
}

export const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/** `12,345 (11,900–12,800)`: the median, with the lowest and the highest. */
export function spread(values: number[], digits = 0): string {
  const format = (value: number) => value.toLocaleString('en', { maximumFractionDigits: digits })
  return `${format(median(values))} (${format(Math.min(...values))}–${format(Math.max(...values))})`
}
