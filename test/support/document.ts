import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Test } from 'tap'
import { commandLine } from './command.ts'
import { eventually } from './eventually.ts'
import { freePort } from './postgres-server.ts'
import { createPath, findProgram } from './programs.ts'
import { addCurl, patternOf } from './shell.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A block of commands in a document. */
export interface Step {
  line: number
  section: string
  command: string
  /** What stands in the block after it. */
  answer: string | undefined
  /** Why the commands are not run, where the document says so. */
  reason: string | undefined
  /** The commands go on until they are stopped; this URL answers once they are ready. */
  url: string | undefined
}

/**
 * The blocks of commands of a document, in order.
 *
 *     ```sh                                          commands; the block that follows at once is what they print
 *     ```sh terminal: http://127.0.0.1:3000          commands that go on, in a terminal of their own
 *     ```sh not run: why                             commands that no test runs
 */
export function readSteps(page: string): Step[] {
  const text = readFileSync(join(root, page), 'utf8')
  const blocks = text.matchAll(/^```sh(.*)\n([^]*?)^```\n(?:\n```(?:http|text|json)\n([^]*?)^```$)?/gm)
  return [...blocks].map(({ index, 1: info = '', 2: command = '', 3: answer }) => ({
    line: text.slice(0, index).split('\n').length,
    section: /^##+ (.*)$(?![^]*^##+ )/m.exec(text.slice(0, index))?.[1] ?? '',
    command: command.trim(),
    answer,
    reason: /^ not run: (.+)$/.exec(info)?.[1],
    url: /^ terminal: (\S+)$/.exec(info)?.[1]
  }))
}

export interface DocumentOptions {
  /** The environment of the commands. */
  env?: Record<string, string>
  /** Ports that take the place of those in the document; those that are not named are free ones. */
  ports?: Record<string, number>
  /** What `…` and the like stand for in commands. */
  replacements?: [from: string, to: string][]
}

/**
 * Runs the commands of a document in order, as a reader would: in a checkout, with the real command line, and with the examples
 * of this repository. Where a program is not installed, the rest of its section is left out, and the test says so.
 */
export async function runDocument(t: Test, page: string, options: DocumentOptions = {}): Promise<void> {
  const ports = Object.entries({
    3000: await freePort(),
    8000: await freePort(),
    8080: await freePort(),
    ...options.ports
  })
  const replace = (text: string) => {
    const withPorts = ports.reduce(
      (sofar, [from, to]) => sofar.replaceAll(new RegExp(`\\b${from}\\b`, 'g'), String(to)),
      text
    )
    return (options.replacements ?? []).reduce((sofar, [from, to]) => sofar.replaceAll(from, to), withPorts)
  }
  const checkout = createCheckout(t, replace, replace('3000'))
  const env = {
    ...options.env,
    HOME: checkout,
    PATH: createPath(checkout)
  }
  const terminals = new Map<string, ChildProcess>()
  t.teardown(() => Promise.all([...terminals.values()].map(stop)))

  let missing: string | undefined
  for (const step of readSteps(page)) {
    if (missing === step.section || step.reason !== undefined) continue
    const where = `${page}:${String(step.line)}`
    const command = replace(step.command)
    const absent = programsOf(command).find((program) => findProgram(program) === undefined)
    if (absent !== undefined) {
      t.comment(`${where}: ${absent} is not here or too old, so the rest of "${step.section}" was not run`)
      missing = step.section
    } else if (step.url !== undefined) {
      await openTerminal(where, command, replace(step.url))
    } else {
      const { status, printed } = await run(command, checkout, env)
      if (step.answer === undefined) t.equal(status, 0, `${where}: ${printed}`)
      else t.match(spaceEvenly(printed), patternOf(spaceEvenly(replace(step.answer))), where)
    }
  }

  /** A terminal whose URL is another's takes its place: what ran there is stopped first. */
  async function openTerminal(where: string, command: string, url: string): Promise<void> {
    const before = terminals.get(url)
    if (before !== undefined) await stop(before)
    const child = spawn('sh', ['-c', command], {
      cwd: checkout,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true
    })
    let complaint = ''
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
    terminals.set(url, child)
    await eventually(
      t,
      `${where}: ${url} answers`,
      async () => {
        if (child.exitCode !== null) throw new Error(`${where} ended: ${complaint}`)
        return fetch(url).then(
          () => true,
          () => false
        )
      },
      60
    )
  }
}

/** How wide the columns of a table are depends on what is in them. */
const spaceEvenly = (text: string): string => text.replaceAll(/\t| {2,}/g, '  ')

/** Runs commands to their end. Variables that they set are there for those that follow. */
function run(
  command: string,
  cwd: string,
  env: Record<string, string>
): Promise<{ status: number | null; printed: string }> {
  const script = `exec 2>&1; set -a; [ ! -f .variables ] || . ./.variables; trap 'export -p >.variables' EXIT\n${command}`
  const child = spawn('sh', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  return new Promise((resolve) =>
    child.once('close', (status) => {
      resolve({ status, printed: printed.replaceAll('\r', '').trim() })
    })
  )
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  // The shell and what it has started.
  process.kill(-child.pid, 'SIGINT')
  await gone
}

/** A folder with what a document's commands use of a checkout. */
function createCheckout(t: Test, replace: (text: string) => string, port: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-document-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  chmodSync(folder, 0o755)
  const program = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  mkdirSync(join(folder, 'dist/cli'), { recursive: true })
  const [flag = '', file = ''] = commandLine
  const main = join(folder, 'dist/cli/gatehouse.js')
  writeFileSync(main, `process.env.PORT ??= '${port}'\nimport('${pathToFileURL(file).href}')\n`)
  program('gatehouse', `exec '${process.execPath}' ${flag} '${main}' "$@"`)
  program(
    'npm',
    `[ "$*" = start ] && exec '${join(folder, 'gatehouse')}' serve; echo "npm $* is not run here" >&2; exit 1`
  )
  addCurl(t, folder)
  // As on a terminal to which it prints the answer.
  writeFileSync(join(folder, '.curlrc'), 'no-progress-meter\n')
  cpSync(join(root, 'examples'), join(folder, 'examples'), {
    recursive: true,
    filter: (source) => !source.includes('node_modules')
  })
  for (const example of ['nginx', 'caddy', 'traefik', 'application']) {
    for (const name of readdirSync(join(folder, 'examples', example))) {
      const file = join(folder, 'examples', example, name)
      writeFileSync(file, replace(readFileSync(file, 'utf8')))
    }
  }
  mkdirSync(join(folder, 'keys'))
  return folder
}

/** Programs that a machine may lack, as far as a command uses them. */
const programsOf = (command: string): string[] =>
  ['nginx', 'caddy', 'traefik', 'openssl', 'psql'].filter((name) =>
    new RegExp(`(^|[|;&(] *)${name} `, 'm').test(command)
  )
