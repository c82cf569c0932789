import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { call } from '../support/client.ts'
import { commandLine, gatehouse } from '../support/command.ts'
import { createDatabase, createEmptyDatabase, createFolder, startService } from '../support/service.ts'

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
    status: 2,
    stdout: '',
    stderr: "gatehouse: unknown command 'migrat' (Did you mean migrate?)\n"
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

await t.test('a .env from another editor is read, or said to be of another kind', async (t) => {
  const cwd = createFolder(t)
  writeFileSync(join(cwd, '.env'), '\uFEFFPORT=99999\r\n')
  t.match(await gatehouse(t, ['doctor'], { cwd }), { status: 1, stdout: /PORT must be a whole number/ })
  writeFileSync(join(cwd, '.env'), Buffer.from('\uFEFFPORT=99999\n', 'utf16le'))
  t.match(await gatehouse(t, ['doctor'], { cwd }), {
    status: 1,
    stderr: /^gatehouse: Cannot read \.env .*: save it as UTF-8/
  })
})

await t.test('a .env that cannot be read is no silence', async (t) => {
  const cwd = createFolder(t)
  mkdirSync(join(cwd, '.env'))
  t.match(await gatehouse(t, ['keys', 'list'], { cwd }), { status: 1, stderr: /^gatehouse: Cannot read \.env in \// })
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

await t.test('what is wrong with a command line is told in one line, or in JSON, and ends with 2', async (t) => {
  const wrong: [args: string[], message: RegExp][] = [
    [['users', 'list', '--limits', '3'], /^unknown option '--limits' \(Did you mean --limit\?\)$/],
    [['users', 'list', '--limit', 'all'], /^option '--limit <number>' argument 'all' is invalid\. It must be a whole/],
    [['users', 'list', 'alice'], /^too many arguments for 'list'/],
    [['users', 'grant', 'alice'], /^missing required argument 'role'$/],
    [['users', 'grant', 'alice', 'owner'], /^command-argument value 'owner' is invalid .* reader, author, admin\.$/],
    [['users', 'lst'], /^unknown command 'lst' \(Did you mean list\?\)$/],
    [['sessions', 'end', 'alice'], /^Name a session, or all of them by --all/],
    [
      ['audit', 'tail', '--type', 'user.login'],
      /^There are no events of the type user\.login: did you mean user\.logg/
    ],
    [['users'], /^A command is missing: --help lists them$/],
    [[], /^A command is missing: --help lists them$/]
  ]
  await Promise.all(
    wrong.map(async ([args, message]) => {
      const words = await gatehouse(t, args)
      const json = await gatehouse(t, [...args, '--json'])
      const told = words.stderr.trimEnd().split('\n').at(-1) ?? ''
      t.match({ ...words, stderr: told.replace('gatehouse: ', '') }, { status: 2, stdout: '', stderr: message })
      t.match({ status: json.status, stdout: json.stdout }, { status: 2, stdout: '' })
      t.match(JSON.parse(json.stderr), { error: { code: 'usage', message } })
    })
  )
})

await t.test('with --json every failure is an object on standard error, with a code', async (t) => {
  const blocked = join(createFolder(t), 'file')
  writeFileSync(blocked, '')
  const empty = await createEmptyDatabase(t)
  const failures: [code: string, args: string[], env: Record<string, string>][] = [
    ['database_unavailable', ['users', 'list'], { DATABASE_URL: 'postgres://u:canary@127.0.0.1:1/x' }],
    ['database_missing', ['users', 'list'], {}],
    ['settings_invalid', ['users', 'list'], { DATABASE_URL: 'mysql://canary' }],
    ['keys_unusable', ['keys', 'list'], { KEYS_DIR: join(blocked, 'keys') }],
    ['refused', ['users', 'list'], { DATABASE_URL: empty }],
    ['not_found', ['keys', 'retire', 'nothing'], {}],
    ['file_unavailable', ['users', 'import', 'nothing.csv'], {}]
  ]
  await Promise.all(
    failures.map(async ([code, args, env]) => {
      const { status, stdout, stderr } = await gatehouse(t, [...args, '--json'], { env })
      t.strictSame([status, stdout], [1, ''], code)
      const { error } = JSON.parse(stderr) as { error: { code: string; message: string } }
      t.equal(error.code, code)
      t.ok(error.message.length > 10)
      t.notMatch(stderr, 'canary')
    })
  )
})

await t.test('a command that only reads makes no database where DATABASE_URL names none', async (t) => {
  const commands = [
    ...['users list', 'users show alice', 'migrate --check', 'outbox', 'clients list', 'sessions list alice'],
    ...['audit tail --no-follow', 'users grant alice admin', 'doctor', 'keys list']
  ]
  await Promise.all(
    commands.map(async (command) => {
      const cwd = createFolder(t)
      const { status, stderr } = await gatehouse(t, command.split(' '), { cwd, env: { DATABASE_URL: 'pglite:./dat' } })
      if (!['doctor', 'keys list'].includes(command)) {
        t.equal(status, 1, command)
        t.match(stderr, /There is no database in \/.*\/dat: check DATABASE_URL, or make it with "gatehouse migrate"\n$/)
      }
      t.strictSame(readdirSync(cwd), [], command)
    })
  )
  const memory = await gatehouse(t, ['users', 'list'], { env: { DATABASE_URL: 'pglite:memory' } })
  t.match(memory, { status: 1, stderr: /pglite:memory is gone with the process/ })
})

await t.test('a folder that holds no database, empty or not, stays as it is', async (t) => {
  const cwd = createFolder(t)
  mkdirSync(join(cwd, 'empty'))
  mkdirSync(join(cwd, 'other'))
  writeFileSync(join(cwd, 'other', 'letter'), 'dear all')
  const list = (name: string) => gatehouse(t, ['users', 'list'], { cwd, env: { DATABASE_URL: `pglite:${name}` } })
  t.match(await list('empty'), { status: 1, stderr: /There is no database in/ })
  t.match(await list('other'), { status: 1, stderr: /holds files but no database/ })
  t.strictSame(readdirSync(cwd).sort(), ['empty', 'other'])
  t.strictSame(readdirSync(join(cwd, 'empty')), [])
})

await t.test(
  'a reader that goes away ends a list without a word, and one that cannot be written is a failure',
  async (t) => {
    const env = { DATABASE_URL: await createDatabase(t, 'embedded') }
    await gatehouse(t, ['users', 'create', '--username', 'ada', '--email', 'ada@example.com'], {
      env,
      input: 'a long and quiet evening'
    })
    const shell = (script: string) =>
      spawnSync('sh', ['-c', script, process.execPath, ...commandLine], {
        encoding: 'utf8',
        cwd: createFolder(t),
        env: { ...env, PATH: process.env.PATH ?? '' }
      })
    const gone = shell('"$0" "$@" users list --json | true; echo done')
    t.match(gone, { stdout: 'done\n', stderr: '' })
    if (existsSync('/dev/full')) {
      const full = shell('"$0" "$@" users list > /dev/full')
      t.match(full, { status: 1, stderr: 'gatehouse: Cannot write to standard output (ENOSPC)\n' })
      t.match(shell('"$0" "$@" --help > /dev/full'), { status: 1 })
    }
    t.match(await gatehouse(t, ['users', 'list'], { env }), { status: 0, stdout: /ada@example\.com/ })
  }
)
