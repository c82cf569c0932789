import t from 'tap'
import { gatehouse } from '../support/command.ts'
import { createDatabase, createFolder } from '../support/service.ts'
import { ConfigError, readConfig } from '../../src/config/config.ts'

await t.test('serve refuses unsafe settings, naming every fault at once and no value', async (t) => {
  const { status, stdout, stderr } = await gatehouse(t, ['serve'], {
    env: {
      NODE_ENV: 'production',
      PORT: 'canary-port',
      DATABASE_URL: 'postgres://gatehouse:changeme@canary-host/gatehouse',
      ISSUER: 'http://canary.example.com',
      CORS_ORIGINS: '*',
      TRUST_PROXY: 'true',
      COOKIE_SECURE: 'false',
      COOKIE_PREFIX: 'on',
      JWT_PRIVATE_KEY: 'canary-key.pem',
      ARGON2_ITERATIONS: '1',
      BOOTSTRAP_ADMIN_PASSWORD: 'canary-password'
    }
  })
  t.equal(status, 1)
  t.equal(stdout, '')
  const [head, ...faults] = stderr.trimEnd().split('\n')
  t.equal(head, 'gatehouse: The settings are not valid:')
  t.strictSame(faults.map((fault) => fault.trim().split(' ')[0]?.split('=')[0]).sort(), [
    'ARGON2_MEMORY_KIB',
    'BOOTSTRAP_ADMIN_USERNAME,',
    'COOKIE_PREFIX',
    'COOKIE_SECURE',
    'CORS_ORIGINS',
    'DATABASE_URL',
    'ISSUER',
    'JWT_PRIVATE_KEY',
    'PORT',
    'TRUST_PROXY'
  ])
  t.notMatch(stderr, /canary|changeme/)
})

const production = {
  NODE_ENV: 'production',
  ISSUER: 'https://auth.example.com',
  DATABASE_URL: 'postgres://gatehouse@db.example.com/gatehouse'
}

await t.test('production refuses each unsafe setting by itself, and takes them all put right', async (t) => {
  const unsafe: [change: NodeJS.ProcessEnv, fault: RegExp][] = [
    [{ DATABASE_URL: undefined }, /^DATABASE_URL must be named/],
    [{ DATABASE_URL: 'postgres://gatehouse:postgres@db/gatehouse' }, /^DATABASE_URL holds a well-known password/],
    [{ DATABASE_URL: 'postgres://gatehouse:a#b@db/gatehouse' }, /^DATABASE_URL cannot be read: percent-encode/],
    [{ DATABASE_URL: 'postgres://gatehouse:a%zz@db/gatehouse' }, /^DATABASE_URL cannot be read: percent-encode/],
    [{ DATABASE_URL: 'mysql://db/gatehouse' }, /^DATABASE_URL must be pglite:FOLDER, pglite:memory or postgres:/],
    [{ ISSUER: undefined, HOST: '0.0.0.0' }, /^ISSUER must be the https URL/],
    [{ ISSUER: 'http://auth.example.com' }, /^ISSUER must be the https URL/],
    [{ ISSUER: 'https://[' }, /^ISSUER cannot be read as a URL/],
    [{ NODE_ENV: 'development', ISSUER: undefined, HOST: 'two words' }, /^HOST must be an address/],
    [{ PUBLIC_URL: 'https://[' }, /^PUBLIC_URL cannot be read as a URL/],
    [{ COOKIE_SECURE: 'false' }, /^COOKIE_SECURE=false sends tokens in the clear/],
    [{ CORS_ORIGINS: '*' }, /^CORS_ORIGINS must list exact origins/],
    [{ CORS_ORIGINS: 'https://app.example.com/' }, /^CORS_ORIGINS must list exact origins/],
    [{ TRUST_PROXY: 'true' }, /^TRUST_PROXY must list proxy addresses/],
    [{ TRUST_PROXY: '10.0.0.1, 0.0.0.0/0' }, /^TRUST_PROXY must list proxy addresses/],
    [{ JWT_PRIVATE_KEY: 'private.pem' }, /^JWT_PRIVATE_KEY and JWT_PUBLIC_KEY are the two halves/],
    [{ METRICS_PORT: '3000' }, /^METRICS_PORT must be another port/],
    [{ ARGON2_MEMORY_KIB: '1024' }, /weaker than OWASP advises/],
    ...['gatehouse', 'GateHouse', 'mysecretpassword', '12345678', 'auth%64b'].map(
      (password): [NodeJS.ProcessEnv, RegExp] => [
        { DATABASE_URL: `postgres://gatehouse:${password}@db.example.com/authdb` },
        /^DATABASE_URL holds a well-known password, or one that is the name of its user or database/
      ]
    ),
    [{ DATABASE_URL: 'postgres://keeper:keeper@db/x' }, /^DATABASE_URL holds a well-known password/],
    [{ DATABASE_URL: 'postgres://db/x?user=keeper&password=keeper' }, /^DATABASE_URL holds a well-known password/],
    [{ DATABASE_LISTEN_URL: 'postgres://keeper:secret@db/x' }, /^DATABASE_LISTEN_URL holds a well-known password/],
    [{ PUBLIC_URL: 'http://login.example.com' }, /^PUBLIC_URL must be an https URL/],
    [{ CORS_ORIGINS: 'https://a.example.com,http://b.example.com' }, /^CORS_ORIGINS must list https origins/]
  ]
  for (const [change, expected] of unsafe) {
    const faults = faultsOf({ ...production, ...change })
    t.equal(faults.length, 1, `${JSON.stringify(change)}: ${faults.join(' | ')}`)
    t.match(faults[0], expected)
  }
  t.strictSame(faultsOf(production), [])
  t.strictSame(faultsOf({ ...production, DATABASE_URL: 'postgres://u:p%23@db1:5432,db2:5433/gatehouse' }), [])
})

await t.test('production warns of what may be right elsewhere, and says what to do', async (t) => {
  const quiet = {
    ...production,
    TRUST_PROXY: '10.0.0.7',
    SMTP_URL: 'smtps://mail.example.com',
    MAIL_FROM: 'no-reply@example.com'
  }
  t.strictSame(warningsOf(quiet), [])
  const doubtful: [change: NodeJS.ProcessEnv, warning: RegExp][] = [
    [{ SMTP_URL: undefined, MAIL_FROM: undefined }, /^SMTP_URL is not set/],
    [{ SMTP_URL: 'smtp://mail.example.com' }, /^SMTP_URL goes on without TLS .* use smtps:/],
    [{ SMTP_URL: 'smtp://u:p@10.0.0.9:587?requireTLS=false' }, /^SMTP_URL goes on without TLS/],
    [{ TRUST_PROXY: undefined }, /^TRUST_PROXY is not set/],
    [{ RATE_LIMIT: 'off' }, /^RATE_LIMIT=off/],
    [{ HOST: '0.0.0.0', ISSUER: 'http://localhost:3000' }, /^ISSUER names this machine alone/],
    [{ HOST: '::', ISSUER: 'https://127.0.0.1' }, /^ISSUER names this machine alone/],
    [{ CORS_ORIGINS: 'http://localhost:5173' }, /^CORS_ORIGINS lists an origin of this machine/],
    [{ PWNED_PASSWORDS_URL: 'http://pwned.example.com/range' }, /^PWNED_PASSWORDS_URL is asked without TLS/],
    [{ DATABASE_URL: 'pglite:./data' }, /^DATABASE_URL=pglite:… is a database for development/],
    [{ DATABASE_URL: 'pglite:memory' }, /^DATABASE_URL=pglite:memory forgets every user/]
  ]
  for (const [change, expected] of doubtful) {
    const warnings = warningsOf({ ...quiet, ...change })
    t.equal(warnings.length, 1, `${JSON.stringify(change)}: ${warnings.join(' | ')}`)
    t.match(warnings[0], expected)
    t.strictSame(warningsOf({ ...quiet, ...change, NODE_ENV: 'development' }), [], 'development is free to do so')
  }
  for (const sound of [
    { SMTP_URL: 'smtp://localhost:25' },
    { SMTP_URL: 'smtp://mail.example.com:587?requireTLS=true' },
    { HOST: '127.0.0.1', ISSUER: 'http://127.0.0.1:3000', TRUST_PROXY: undefined },
    { PUBLIC_URL: 'http://localhost:8080' }
  ]) {
    t.strictSame(warningsOf({ ...quiet, ...sound }), [], JSON.stringify(sound))
  }
})

await t.test('production shows no documentation and prefixes its cookies, unless it is told otherwise', async (t) => {
  const { docs, cookies } = readConfig(production)
  t.match({ docs, cookies }, { docs: false, cookies: { prefix: true } })
  t.match(readConfig({ ...production, DOCS: 'on', COOKIE_PREFIX: 'off' }), { docs: true, cookies: { prefix: false } })
  t.match(readConfig({ ...production, COOKIE_DOMAIN: 'example.com' }), { cookies: { prefix: false } })
  t.match(readConfig({ COOKIE_DOMAIN: 'example.com' }), { docs: true, cookies: { prefix: false } })
})

await t.test('production starts with no key of its own making', async (t) => {
  const { status, stderr } = await gatehouse(t, ['serve'], {
    env: {
      ...production,
      PORT: '0',
      DATABASE_URL: await createDatabase(t),
      KEYS_DIR: createFolder(t),
      LOG_LEVEL: 'silent',
      ARGON2_MEMORY_KIB: '19456',
      ARGON2_ITERATIONS: '2'
    }
  })
  t.equal(status, 1)
  t.match(stderr, /^gatehouse: There is no key in .*: make one with "gatehouse keys generate"\n$/)
})

function warningsOf(env: NodeJS.ProcessEnv) {
  return readConfig(env).warnings.map(({ message }) => message)
}

function faultsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}
