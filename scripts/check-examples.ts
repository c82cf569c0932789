import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pLimit from 'p-limit'
import { freePort } from '../test/support/postgres-server.ts'
import { createPath, findProgram } from '../test/support/programs.ts'
import { visit } from './examples/page.ts'
import { readWalk, run, type Running, tryIn } from './examples/readme.ts'
import { accessToken, forgeries } from './examples/tokens.ts'
import { type Serving, startServing } from './serving.ts'

// Whether each example does what its README says: every command of it is run, in a fresh clone in which nothing is installed,
// beside a running Gatehouse. Services are tried with forged tokens and without Gatehouse, the page in Chromium. Run
// it by "npm run check:examples". It fetches what the examples depend on. An example whose program is not here is left out.
const program: Record<string, string> = {
  fastapi: 'python3',
  nginx: 'nginx',
  caddy: 'caddy',
  traefik: 'traefik'
}

/** The ports that the examples name; others take their place, since somebody may be using these. */
const named = [443, 3000, 4000, 4001, 4002, 5173, 8000, 8080] as const

/** Where each example is reached. */
const address: Record<string, (typeof named)[number]> = { fastify: 4000, express: 4001, fastapi: 4002, browser: 5173 }

process.env.PATH = createPath()

const given = new Set<number>()
const chosen = process.argv.slice(2)
const examples = readdirSync('examples').filter((name) => existsSync(join('examples', name, 'README.md')))
// Each has a Gatehouse of its own; more at a time than this only wait for each other.
const inTurn = pLimit(3)
await Promise.all(
  examples.filter((name) => chosen.length === 0 || chosen.includes(name)).map((name) => inTurn(report, name))
)

/** A failure does not end the others, which would leave behind what they have started. */
async function report(name: string): Promise<void> {
  const needed = program[name]
  if (needed !== undefined && findProgram(needed) === undefined) {
    console.log(`${name}: LEFT OUT, ${needed} is not here or too old`)
    return
  }
  try {
    console.log(`${name}: ${await check(name)}`)
  } catch (error) {
    console.log(`${name}: FAILED`, error)
    process.exitCode = 1
  }
}

async function check(name: string): Promise<string> {
  const clone = mkdtempSync(join(tmpdir(), 'gatehouse-examples-'))
  const keys = join(clone, 'gatehouse-keys')
  const running: Running[] = []
  let gatehouse: Serving | undefined
  try {
    const ports = await copy(clone)
    const folder = join(clone, 'examples', name)
    const port = (original: (typeof named)[number]) => ports.get(original) ?? original
    const serve = [`--import=${import.meta.resolve('tsx')}`, resolve('cli/gatehouse.ts'), 'serve']
    gatehouse = await startServing(clone, serve, { PORT: String(port(3000)), KEYS_DIR: keys, RATE_LIMIT: 'off' })

    const { start, tries } = readWalk(folder)
    for (const command of start) {
      const started = await run(command, folder, [...ports.values()])
      if (started !== undefined) running.push(started)
    }
    await tryIn(folder, tries)
    const original = address[name]
    if (original === undefined) return 'as its README says'
    const url = `http://127.0.0.1:${String(port(original))}`
    if (name === 'browser') {
      await servesNothingElse(url, [join(clone, 'package.json'), ...readdirSync(keys).map((file) => join(keys, file))])
      return (await visit(url, gatehouse.stop))
        ? 'used in Chromium'
        : 'started; LEFT OUT: Chromium is not here, see CHROME_PATH'
    }
    const token = await accessToken(gatehouse.url)
    await refusesForgeries(url, token, keys)
    await gatehouse.stop()
    gatehouse = undefined
    assert.equal((await ask(url, token)).status, 200, 'tokens are good while Gatehouse is down')
    return 'as its README says, without forged tokens, and without Gatehouse'
  } finally {
    for (const { stop } of running.reverse()) await stop()
    await gatehouse?.stop()
    rmSync(clone, { recursive: true, force: true })
  }
}

/** What a clone has, on ports that are free. @returns them by those that the examples name */
async function copy(clone: string): Promise<Map<number, number>> {
  const ports = new Map<number, number>()
  for (const port of named) ports.set(port, await unusedPort())
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' }).trim().split('\n')
  for (const file of files.filter((path) => existsSync(path) && /^(?:package|clients|examples)/.test(path))) {
    const target = join(clone, file)
    cpSync(file, target)
    if (!file.startsWith('examples/') || !statSync(target).isFile()) continue
    const text = readFileSync(target, 'utf8')
    writeFileSync(
      target,
      text.replaceAll(/\b\d{3,4}\b/g, (digits) => String(ports.get(Number(digits)) ?? digits))
    )
  }
  return ports
}

/** One that no other example has been given either: they run side by side. */
async function unusedPort(): Promise<number> {
  const port = await freePort()
  if (given.has(port)) return unusedPort()
  given.add(port)
  return port
}

/** Vite serves files by their place on the disk, where it may. */
async function servesNothingElse(url: string, files: string[]): Promise<void> {
  for (const file of files) assert.notEqual((await fetch(`${url}/@fs${file}?raw`)).status, 200, file)
}

async function refusesForgeries(url: string, token: string, keys: string): Promise<void> {
  assert.equal((await ask(url, token)).status, 200)
  for (const [title, code, forged] of forgeries(token, keys)) {
    const answer = await ask(url, forged)
    assert.equal(answer.status, 401, title)
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer error="invalid_token"', title)
    assert.equal(((await answer.json()) as { code: string }).code, code, title)
  }
}

function ask(url: string, token: string): Promise<Response> {
  return fetch(`${url}/me`, { headers: { authorization: `Bearer ${token}` } })
}
