import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { call } from '../support/client.ts'
import { gatehouse } from '../support/command.ts'
import { createFolder, startService } from '../support/service.ts'

await t.test('--version is that of package.json', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  t.strictSame(await gatehouse(t, ['--version']), { status: 0, stdout: `${version}\n`, stderr: '' })
})

await t.test('every command explains itself, and the global --json with it', async (t) => {
  const commands = ['serve', 'migrate', 'keys generate', 'keys list', 'users create', 'users list', 'openapi']
  const endings = await Promise.all(commands.map((name) => gatehouse(t, [...name.split(' '), '--help'])))
  for (const [index, { status, stdout, stderr }] of endings.entries()) {
    t.equal(status, 0)
    t.equal(stderr, '')
    t.match(stdout, `Usage: gatehouse ${commands[index] ?? ''} `)
    t.match(stdout, '--json')
  }
})

await t.test('an unknown command is refused', async (t) => {
  t.strictSame(await gatehouse(t, ['migrat']), {
    status: 1,
    stdout: '',
    stderr: "error: unknown command 'migrat'\n(Did you mean migrate?)\n"
  })
})

await t.test(
  'openapi prints what the service serves, without a database and whatever the environment says',
  async (t) => {
    const service = await startService(t)
    const { status, stdout, stderr } = await gatehouse(t, ['openapi'], {
      env: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing', COOKIE_PREFIX: 'on', DOCS: 'off' }
    })
    t.equal(status, 0)
    t.equal(stderr, '')
    t.strictSame(JSON.parse(stdout), (await call(service, 'GET /openapi.json')).body)
    const older = await gatehouse(t, ['openapi', '3.0'])
    t.strictSame(JSON.parse(older.stdout), (await call(service, 'GET /openapi-3.0.json')).body)
  }
)

await t.test('settings come from .env, and the environment wins over it', async (t) => {
  const cwd = createFolder(t)
  writeFileSync(join(cwd, '.env'), 'KEYS_DIR=from-file\nJWT_PRIVATE_KEY=\n')
  const fromFile = await gatehouse(t, ['keys', 'generate'], { cwd })
  t.match(fromFile, { status: 0, stdout: / in from-file\n$/, stderr: '' })
  const fromEnvironment = await gatehouse(t, ['keys', 'generate'], { cwd, env: { KEYS_DIR: 'from-environment' } })
  t.match(fromEnvironment, { status: 0, stdout: / in from-environment\n$/, stderr: '' })
})

await t.test('a server out of reach is named without its password, and so is what to check', async (t) => {
  const { status, stdout, stderr } = await gatehouse(t, ['migrate'], {
    env: { DATABASE_URL: 'postgres://gatehouse:canary-password@127.0.0.1:1/gatehouse' }
  })
  t.equal(status, 1)
  t.equal(stdout, '')
  t.equal(
    stderr,
    'gatehouse: Cannot reach PostgreSQL at 127.0.0.1:1 (ECONNREFUSED): check DATABASE_URL, and that the server runs\n'
  )
})

await t.test('a database or role that the server does not know is told in words', async (t) => {
  const { env } = await startService(t)
  const url = new URL(env.DATABASE_URL ?? '')
  const place = `${url.hostname}:${url.port}`
  url.pathname = '/no_such_database'
  t.equal(
    (await gatehouse(t, ['users', 'list'], { env: { DATABASE_URL: url.href } })).stderr,
    `gatehouse: PostgreSQL at ${place} has no such database: create it, or check DATABASE_URL\n`
  )
  url.username = 'no_such_role'
  t.equal(
    (await gatehouse(t, ['users', 'list'], { env: { DATABASE_URL: url.href } })).stderr,
    `gatehouse: PostgreSQL at ${place} refused the login: check user and password in DATABASE_URL\n`
  )
})
