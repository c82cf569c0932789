import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { generateMissingKeys } from '../../src/keys/key-files.ts'
import { gatehouse, serve } from '../support/command.ts'
import { startMailServer } from '../support/mail-server.ts'
import { createDatabase, createEmptyDatabase, createFolder, sql } from '../support/service.ts'

interface Check {
  about: string
  status: string
  message: string
}

/** What the doctor found, and its exit status. */
async function examine(t: Test, env: Record<string, string>, cwd?: string) {
  const { status, stdout, stderr } = await gatehouse(t, ['doctor', '--json'], { env, ...(cwd && { cwd }) })
  t.equal(stderr, '')
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Check[] }
  t.equal(ok, status === 0)
  return { status, checks, troubles: checks.filter((check) => check.status !== 'ok') }
}

const KEYS_DIR = createFolder(t)
generateMissingKeys(KEYS_DIR)
const mail = await startMailServer(t)
const sound = {
  NODE_ENV: 'production',
  DATABASE_URL: await createDatabase(t),
  ISSUER: 'https://login.example.com',
  HOST: '0.0.0.0',
  TRUST_PROXY: '10.0.0.7',
  KEYS_DIR,
  ARGON2_MEMORY_KIB: '19456',
  ARGON2_ITERATIONS: '2',
  ...mail.env
}

await t.test('doctor finds a sound production well, in words and in JSON', async (t) => {
  const { status, checks, troubles } = await examine(t, sound)
  t.same(troubles, [])
  t.equal(status, 0)
  t.same(
    checks.map(({ about }) => about),
    ['settings', 'files', 'proxy', 'cookies', 'keys', 'database', 'schema', 'clock', 'mail']
  )
  const { stdout } = await gatehouse(t, ['doctor'], { env: sound })
  t.match(stdout, /^STATUS {2}CHECK {5}MESSAGE\nok {6}settings {2}They are fit for production\n/)
  t.same(mail.mails, [], 'it sends no mail')
})

await t.test('doctor in an empty folder is content and makes nothing', async (t) => {
  const cwd = createFolder(t)
  const { status, troubles } = await examine(t, {}, cwd)
  t.same([status, troubles], [0, []])
  t.same(readdirSync(cwd), [])
})

await t.test(
  'doctor says which clock the embedded database has, and where mail is without a mail server',
  async (t) => {
    const env = { DATABASE_URL: await createDatabase(t, 'embedded'), KEYS_DIR }
    const { checks, troubles } = await examine(t, env)
    t.same(troubles, [])
    t.match(checks.slice(-2), [
      { about: 'clock', message: "The embedded database has this machine's clock" },
      { about: 'mail', message: 'No mail is sent, for there is no SMTP_URL: /dev/mail shows it' }
    ])
  }
)

await t.test('doctor tells of folders in which the first start could write nothing', async (t) => {
  const folder = createFolder(t)
  const closed = join(folder, 'closed')
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(closed, { mode: 0o500 })
  // Root may write anywhere.
  for (const place of [join(folder, 'file'), ...(process.getuid?.() === 0 ? [] : [closed])]) {
    const { status, troubles } = await examine(t, { KEYS_DIR: `${place}/keys`, DATABASE_URL: `pglite:${place}/data` })
    t.equal(status, 1)
    const message = new RegExp(`and cannot write in ${place}: check that it is a folder, and who may$`)
    t.match(troubles, [
      { about: 'keys', status: 'failed' },
      { about: 'database', status: 'failed', message }
    ])
  }
})

await t.test('doctor tells where proxy, cookies and ISSUER do not agree, and what to do', async (t) => {
  const development = { DATABASE_URL: sound.DATABASE_URL, KEYS_DIR }
  const doubtful: [env: Record<string, string>, about: string, message: RegExp][] = [
    [{ TRUST_PROXY: '127.0.0.1', ISSUER: 'http://a.test', COOKIE_SECURE: 'false' }, 'proxy', /set ISSUER to the https/],
    [{ TRUST_PROXY: '10.0.0.0/8' }, 'proxy', /HOST=127\.0\.0\.1 takes .*: set HOST/],
    [
      { ISSUER: 'http://a.test' },
      'cookies',
      /^Browsers drop Secure cookies .*: serve by https and set ISSUER, or COOKIE_/
    ],
    [{ ISSUER: 'https://a.test', COOKIE_SECURE: 'false' }, 'cookies', /^COOKIE_SECURE=false .*: remove it/],
    [{ ISSUER: 'https://a.test', COOKIE_DOMAIN: 'b.test' }, 'cookies', /COOKIE_DOMAIN=b\.test .*: name a\.test or/],
    [{ ISSUER: 'https://xa.test', COOKIE_DOMAIN: 'a.test' }, 'cookies', /COOKIE_DOMAIN=a\.test/]
  ]
  for (const [env, about, message] of doubtful) {
    const { status, troubles } = await examine(t, { ...development, ...env })
    t.match([status, troubles], [0, [{ about, status: 'warning', message }]], JSON.stringify(env))
    t.equal(troubles.length, 1)
  }
  for (const env of [
    {},
    { ISSUER: 'http://localhost:3000', TRUST_PROXY: '127.0.0.1' },
    { ISSUER: 'https://login.example.com', COOKIE_DOMAIN: '.Example.com', TRUST_PROXY: '10.0.0.1', HOST: '0.0.0.0' }
  ]) {
    t.same((await examine(t, { ...development, ...env })).troubles, [], JSON.stringify(env))
  }
})

await t.test('doctor leaves an embedded database alone that the service has open', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t, 'embedded'), KEYS_DIR }
  await serve(t, env)
  const { status, checks } = await examine(t, env)
  t.equal(status, 0)
  t.match(checks, [...Array<object>(5).fill({}), { about: 'database', status: 'ok', message: /: stop the service/ }])
})

await t.test('doctor tells every refused setting', async (t) => {
  const { status, checks } = await examine(t, { ...sound, COOKIE_SECURE: 'false', PUBLIC_URL: 'http://example.com' })
  t.equal(status, 1)
  t.match(checks, [
    { about: 'settings', status: 'failed', message: /^PUBLIC_URL/ },
    { about: 'settings', status: 'failed', message: /^COOKIE_SECURE/ }
  ])
})

await t.test('doctor tells of keys, a database and a mail server that are not there, and no secret', async (t) => {
  const { status, troubles } = await examine(t, {
    ...sound,
    KEYS_DIR: createFolder(t),
    DATABASE_URL: 'postgres://gatehouse:canary-password@127.0.0.1:1/gatehouse',
    SMTP_URL: 'smtp://canary-user:canary-secret@127.0.0.1:1'
  })
  t.equal(status, 1)
  t.match(troubles, [
    { about: 'keys', status: 'failed', message: /gatehouse keys generate/ },
    { about: 'database', status: 'failed', message: /^Cannot reach PostgreSQL at 127\.0\.0\.1:1 / },
    {
      about: 'mail',
      status: 'failed',
      message: /^The mail server at 127\.0\.0\.1:1 does not take mail .*: check SMTP_URL/
    }
  ])
  t.notMatch(JSON.stringify(troubles), 'canary')
})

await t.test('doctor tells of a schema that is behind and of a clock that is wrong', async (t) => {
  const { status, troubles } = await examine(t, { ...sound, DATABASE_URL: await createEmptyDatabase(t) })
  t.equal(status, 0, 'the next start brings the schema up to date')
  t.match(troubles, [{ about: 'schema', status: 'warning', message: /gatehouse migrate/ }])

  const DATABASE_URL = await createDatabase(t)
  const env = { ...sound, DATABASE_URL }
  const name = new URL(DATABASE_URL).pathname.slice(1)
  await sql({ env }, 'create schema clock')
  for (const [offset, expected] of [
    ['10 seconds', 'warning'],
    ['1 hour', 'failed']
  ] as const) {
    await sql(
      { env },
      `create or replace function clock.clock_timestamp() returns timestamptz language sql as
        $$ select pg_catalog.clock_timestamp() - interval '${offset}' $$`
    )
    await sql({ env }, `alter database ${name} set search_path = clock, pg_catalog, public`)
    const wrong = await examine(t, env)
    t.equal(wrong.status, expected === 'failed' ? 1 : 0)
    t.match(wrong.troubles, [{ about: 'clock', status: expected, message: /s apart: keep both by NTP$/ }])
  }
})

const modes: [title: string, folder: number, file: number, level: 'refused' | 'warned of' | undefined, said: RegExp][] =
  [
    ['keys of the service alone', 0o755, 0o600, undefined, /^$/],
    ['a folder of keys that everybody may write to', 0o777, 0o600, 'refused', /may put keys into .*: chmod 700 /],
    ['keys that everybody may replace', 0o700, 0o622, 'refused', /may replace .*\.pem.*: chmod 600 /],
    ['keys that everybody may read', 0o700, 0o644, 'warned of', /may read .*\.pem.*: chmod 600 /],
    ['a folder of keys that a group may write to', 0o770, 0o600, 'warned of', /the group of .*: chmod 700 /]
  ]

for (const [title, folder, file, level, said] of modes) {
  await t.test(`${title}: ${level ?? 'accepted'} in production`, async (t) => {
    const dir = createFolder(t)
    generateMissingKeys(dir)
    for (const name of readdirSync(dir)) chmodSync(join(dir, name), file)
    chmodSync(dir, folder)
    const env = { ...sound, KEYS_DIR: dir }
    const { status, troubles } = await examine(t, env)
    t.equal(status, level === 'refused' ? 1 : 0)
    t.match(
      troubles,
      level === undefined ? [] : [{ about: 'files', status: level === 'refused' ? 'failed' : 'warning', message: said }]
    )
    t.equal(troubles.length, level === undefined ? 0 : 1)
    if (level === 'refused') {
      const refusal = await gatehouse(t, ['serve'], { env: { ...env, PORT: '0' } })
      t.match(refusal, { status: 1, stdout: /^\{[^\n]* is starting: [^\n]*\n$/, stderr: said })
    }
  })
}

await t.test('production logs what it advises against as it starts', async (t) => {
  const service = await serve(t, { ...sound, SMTP_URL: '', MAIL_FROM: '', RATE_LIMIT: 'off', TRUST_PROXY: '' })
  const warnings = service.log.filter(({ level }) => level === 40).map(({ msg }) => msg.split(/[ =]/)[0])
  t.same(warnings.sort(), ['RATE_LIMIT', 'SMTP_URL', 'TRUST_PROXY'])
})
