import { spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startServing } from './serving.ts'

// Whether what is built and what is published works by itself: the build serves, and so does the packed tarball,
// which installs into an empty folder without a warning. Run it by "npm run smoke".
const maxMegabytes = 100
const npm = [process.env.npm_execpath ?? '']
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-smoke-'))
try {
  run('.', [...npm, 'run', 'build'])
  await walk('the build', folder, [resolve('dist/cli/gatehouse.js'), 'serve'])

  const app = join(folder, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{}')
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  run('.', [...npm, 'pack', '--pack-destination', folder])
  const installed = run(app, [...npm, 'install', '--loglevel=warn', join(folder, `gatehouse-auth-${version}.tgz`)])
  const warnings = installed.split('\n').filter((line) => /EBADENGINE|ERESOLVE|deprecated|peer|script/.test(line))
  if (warnings.length > 0) throw new Error(`The tarball does not install cleanly:\n${warnings.join('\n')}`)
  const megabytes = Math.ceil(sizeOf(join(app, 'node_modules')) / 1e6)
  if (megabytes > maxMegabytes) throw new Error(`The tarball installs ${String(megabytes)} MB`)
  console.log(`the installed tarball: ${String(megabytes)} MB`)
  await walk('the installed tarball', app, [...npm, 'exec', '--', 'gatehouse', 'serve'])
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Bytes of all files below a folder. */
function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return files.reduce((sum, file) => sum + lstatSync(join(folder, file)).size, 0)
}

/** @returns what it wrote on standard error, where npm warns */
function run(cwd: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${String(status)}:\n${stdout}${stderr}`)
  return stderr
}

/** Starts a service on a database in memory, registers, logs in, asks two guards, and stops it. */
async function walk(name: string, cwd: string, args: string[]): Promise<void> {
  const { url, stop } = await startServing(cwd, args)

  const post = (path: string, body: object) =>
    fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const user = { username: 'alice', password: 'a long and quiet evening' }
  expect(name, 'registration', (await post('/auth/registration', { ...user, email: 'alice@example.com' })).status, 201)
  const login = await post('/auth/login', user)
  expect(name, 'login', login.status, 200)
  const { access_token } = (await login.json()) as { access_token: string }
  const headers = { authorization: `Bearer ${access_token}` }
  expect(name, 'the path of readers', (await fetch(`${url}/authz/reader`, { headers })).status, 204)
  expect(name, 'the path of authors', (await fetch(`${url}/authz/author`, { headers })).status, 403)
  expect(name, 'the documentation', (await fetch(`${url}/docs/`)).status, 200)

  expect(name, 'the exit status', await stop(), 0)
  console.log(`${name}: registration, login, guards, documentation and stop as they should be`)
}

function expect(name: string, what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${name}: ${what} is ${String(actual)}, not ${String(expected)}`)
}
