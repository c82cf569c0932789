import { join } from 'node:path'
import t from 'tap'
import { ConfigError, readConfig } from '../src/config/config.ts'

function faultsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

await t.test('without any setting the defaults are those of the contract', async (t) => {
  t.match(readConfig({}), {
    production: false,
    host: '127.0.0.1',
    port: 3000,
    database: { url: 'pglite:./data', poolSize: 10 },
    keys: { dir: 'keys' },
    issuer: 'http://127.0.0.1:3000',
    audience: 'gatehouse',
    accessTokenLifetime: 900,
    session: { idle: 14 * 86_400, absolute: 30 * 86_400 },
    jwksMaxAge: 300,
    cookies: { secure: true, prefix: false },
    corsOrigins: [],
    trustProxy: [],
    passwordMinLength: 8,
    argon2: { memoryCost: 19_456, timeCost: 2, parallelism: 1 },
    logLevel: 'info',
    shutdownTimeout: 10
  })
})

await t.test('an empty variable counts as absent', async (t) => {
  t.same(readConfig({ PORT: '', ISSUER: '', COOKIE_DOMAIN: '' }), readConfig({}))
})

const refused: [setting: string, value: string, fault: RegExp][] = [
  ['PORT', 'http', /^PORT must be a whole number from 0 to 65535$/],
  ['PORT', '65536', /^PORT must be a whole number from 0 to 65535$/],
  ['PORT', '-1', /^PORT must be a whole number from 0 to 65535$/],
  ['PORT', 'Infinity', /^PORT must be a whole number/],
  ['PORT', '1e3', /^PORT must be a whole number/],
  ['ACCESS_TOKEN_EXPIRE_MINUTES', 'Infinity', /^ACCESS_TOKEN_EXPIRE_MINUTES must be a whole number from 1 to 1440$/],
  ['METRICS_PORT', '-Infinity', /^METRICS_PORT must be a whole number/],
  ['UNVERIFIED_ACCOUNT_DAYS', '1e999', /^UNVERIFIED_ACCOUNT_DAYS must be a whole number/],
  ['NODE_ENV', 'Production', /^NODE_ENV must be one of development, test, production$/],
  ['NODE_ENV', 'prod', /^NODE_ENV must be one of/],
  ['ISSUER', 'http://user:s3cret@localhost:3000', /^ISSUER must be an http\(s\) URL without user/],
  ['PUBLIC_URL', 'https://user@example.com', /^PUBLIC_URL must be an http\(s\) URL without user/],
  ['PWNED_PASSWORDS_URL', 'http://[x', /^PWNED_PASSWORDS_URL cannot be read as a URL$/],
  ['AUDIENCE', 'two\nlines', /^AUDIENCE holds a line break/],
  ['AUDIENCE', 'x'.repeat(8193), /^AUDIENCE is longer than 8192 characters$/],
  ['DATABASE_URL', 'mysql://localhost/x', /^DATABASE_URL must be pglite:FOLDER/],
  ['DATABASE_POOL_SIZE', '0', /^DATABASE_POOL_SIZE must be a whole number from 1 to 1000$/],
  ['ISSUER', 'auth.example.com', /^ISSUER must be an http\(s\) URL/],
  ['ISSUER', 'https://auth.example.com/?x=1', /^ISSUER must be an http\(s\) URL without user, query/],
  ['PASSWORD_MIN_LENGTH', '7', /^PASSWORD_MIN_LENGTH must be a whole number from 8 to 64$/],
  ['COOKIE_SECURE', 'perhaps', /^COOKIE_SECURE must be true or false$/],
  ['COOKIE_PREFIX', 'yes', /^COOKIE_PREFIX must be one of on, off/],
  ['COOKIE_DOMAIN', 'https://example.com', /^COOKIE_DOMAIN must be a domain name/],
  ['LOG_LEVEL', 'loud', /^LOG_LEVEL must be one of fatal, error/],
  ['CORS_ORIGINS', '*', /^CORS_ORIGINS must list exact origins/],
  ['CORS_ORIGINS', 'null', /^CORS_ORIGINS must list exact origins/],
  ['CORS_ORIGINS', 'https://*.example.com', /^CORS_ORIGINS must list exact origins/],
  ['CORS_ORIGINS', 'https://app.example.com/', /^CORS_ORIGINS must list exact origins/],
  ['CORS_ORIGINS', 'app.example.com', /^CORS_ORIGINS must list exact origins/],
  ['TRUST_PROXY', 'true', /^TRUST_PROXY must list proxy addresses/],
  ['TRUST_PROXY', '*', /^TRUST_PROXY must list proxy addresses/],
  ['TRUST_PROXY', '10.0.0.1, 0.0.0.0/0', /^TRUST_PROXY must list proxy addresses/],
  ['TRUST_PROXY', '::/0', /^TRUST_PROXY must list proxy addresses/],
  ['TRUST_PROXY', '0/0', /^TRUST_PROXY must list proxy addresses/],
  ['TRUST_PROXY', '0.0.0.0/1,128.0.0.0/1', /^TRUST_PROXY must list proxy addresses/],
  ['TRUST_PROXY', 'proxy.example.com', /^TRUST_PROXY must list proxy addresses/],
  ['TRUST_PROXY', '1', /^TRUST_PROXY must list proxy addresses/],
  ['JWT_PRIVATE_KEY', 'private.pem', /^JWT_PRIVATE_KEY and JWT_PUBLIC_KEY are the two halves/],
  ['REFRESH_TOKEN_EXPIRE_DAYS', '31', /^REFRESH_TOKEN_EXPIRE_DAYS must not be more than SESSION_MAX_DAYS/],
  ['BOOTSTRAP_ADMIN_USERNAME', 'admin', /^BOOTSTRAP_ADMIN_USERNAME.* go together/]
]

await t.test('each setting is checked, and the fault names it', async (t) => {
  for (const [setting, value, fault] of refused) {
    const faults = faultsOf({ [setting]: value })
    t.equal(faults.length, 1, `${setting}=${value}`)
    t.match(faults[0], fault, `${setting}=${value}`)
  }
})

await t.test('every fault is told at once, also beside one that an example names a part of', async (t) => {
  t.match(faultsOf({ NODE_ENV: 'production', ISSUER: 'https://a.example', HOST_FILE: '/nonexistent' }), [
    /^HOST_FILE: the file/,
    /^DATABASE_URL must be named/
  ])
})

await t.test('origins and proxies are taken as they are listed', async (t) => {
  const origins = ['https://app.example.com', 'http://localhost:5173', 'https://[::1]:8443']
  const proxies = ['10.0.0.7', '172.16.0.0/12', '::1', 'fd00::/8']
  const config = readConfig({ CORS_ORIGINS: origins.join(','), TRUST_PROXY: ` ${proxies.join(' , ')} ` })
  t.same(config.corsOrigins, origins)
  t.same(config.trustProxy, proxies)
})

await t.test('settings that contradict each other are refused', async (t) => {
  t.match(faultsOf({ COOKIE_PREFIX: 'on', COOKIE_DOMAIN: 'example.com' }), [
    /__Host- cookies, which cannot have a COOKIE_DOMAIN/
  ])
  t.match(faultsOf({ COOKIE_PREFIX: 'on', COOKIE_SECURE: 'false' }), [/__Host- cookies, which must be secure/])
  t.match(faultsOf({ ARGON2_MEMORY_KIB: '8', ARGON2_PARALLELISM: '2' }), [/at least 8 for each of ARGON2_PARALLELISM/])
})

await t.test('production refuses what is for development alone', async (t) => {
  const sound = {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://gatehouse:aB3xk9@db/gatehouse',
    ISSUER: 'https://auth.example.com'
  }
  t.same(faultsOf(sound), [])
  t.ok(readConfig(sound).production)
  for (const [change, fault] of [
    [{ DATABASE_URL: undefined }, /^DATABASE_URL must be named/],
    [{ DATABASE_URL: 'postgres://postgres:postgres@db/x' }, /^DATABASE_URL holds a well-known password/],
    [{ ISSUER: 'http://auth.example.com' }, /^ISSUER must be the https URL/],
    [{ ISSUER: undefined, HOST: '0.0.0.0' }, /^ISSUER must be the https URL/],
    [{ COOKIE_SECURE: 'false' }, /^COOKIE_SECURE=false sends tokens in the clear/],
    [{ ARGON2_MEMORY_KIB: '8192' }, /weaker than OWASP advises/],
    [{ ARGON2_ITERATIONS: '1' }, /weaker than OWASP advises/]
  ] as const) {
    const faults = faultsOf({ ...sound, ...change })
    t.equal(faults.length, 1, JSON.stringify(change))
    t.match(faults[0], fault)
  }
  for (const argon2 of [
    { ARGON2_MEMORY_KIB: '47104', ARGON2_ITERATIONS: '1' },
    { ARGON2_MEMORY_KIB: '12288', ARGON2_ITERATIONS: '3' },
    { ARGON2_MEMORY_KIB: '7168', ARGON2_ITERATIONS: '5' }
  ]) {
    t.same(faultsOf({ ...sound, ...argon2 }), [], 'OWASP’s alternatives are as good')
  }
})

await t.test('all faults are told at once, without any setting’s value', async (t) => {
  const secret = 'canary-51ba07'
  const env = {
    PORT: secret,
    DATABASE_URL: `mysql://root:${secret}@db`,
    ISSUER: secret,
    COOKIE_DOMAIN: `${secret}!`,
    BOOTSTRAP_ADMIN_PASSWORD: secret
  }
  const faults = faultsOf(env)
  for (const name of ['PORT', 'DATABASE_URL', 'ISSUER', 'COOKIE_DOMAIN']) {
    t.ok(
      faults.some((fault) => fault.startsWith(`${name} `)),
      name
    )
  }
  t.throws(() => readConfig(env), { message: /^The settings are not valid:\n {2}\w+ / })
  t.notMatch(faults.join('\n'), secret)
  const contradictions = faultsOf({
    CORS_ORIGINS: secret,
    TRUST_PROXY: `*,${secret}`,
    BOOTSTRAP_ADMIN_PASSWORD: secret
  })
  t.equal(contradictions.length, 3)
  t.notMatch(contradictions.join('\n'), secret)
})

await t.test('a secret may stand in a file', async (t) => {
  const folder = t.testdir({ url: 'postgres://gatehouse:s3cret@db/gatehouse\n', empty: '' })
  const config = readConfig({ DATABASE_URL_FILE: join(folder, 'url') })
  t.equal(config.database.url, 'postgres://gatehouse:s3cret@db/gatehouse')
  t.same(faultsOf({ DATABASE_URL_FILE: join(folder, 'none') }), [
    `DATABASE_URL_FILE: the file ${join(folder, 'none')} cannot be read (ENOENT)`
  ])
  t.same(faultsOf({ SMTP_URL_FILE: join(folder, 'empty'), MAIL_FROM: 'a@example.com' }), [
    `SMTP_URL_FILE: the file ${join(folder, 'empty')} is empty`
  ])
  const both = { DATABASE_URL: 'pglite:memory', DATABASE_URL_FILE: join(folder, 'url') }
  t.same(faultsOf(both), ['DATABASE_URL and DATABASE_URL_FILE are both set: remove one of them'])
  t.equal(readConfig({ DATABASE_URL: 'pglite:memory', DATABASE_URL_FILE: '' }).database.url, 'pglite:memory')
})

await t.test('the password of the database may stand apart from its URL', async (t) => {
  const apart = {
    DATABASE_URL: 'postgres://gatehouse@db:5432/gatehouse',
    DATABASE_LISTEN_URL: 'postgres://gatehouse@direct/gatehouse',
    DATABASE_PASSWORD: 'p@ss/word'
  }
  const { url, listenUrl } = readConfig(apart).database
  t.equal(url, 'postgres://gatehouse:p%40ss%2Fword@db:5432/gatehouse')
  t.equal(listenUrl, 'postgres://gatehouse:p%40ss%2Fword@direct/gatehouse')
  for (const DATABASE_URL of [
    '',
    'pglite:./data',
    'postgres://db/gatehouse',
    'postgres://gatehouse:other@db/gatehouse'
  ]) {
    t.match(faultsOf({ ...apart, DATABASE_URL }), [/^DATABASE_PASSWORD goes with a DATABASE_URL that names a user/])
  }
  const weak = faultsOf({
    ...apart,
    DATABASE_PASSWORD: 'gatehouse',
    NODE_ENV: 'production',
    ISSUER: 'https://a.example'
  })
  t.match(weak, [/^DATABASE_URL holds a well-known password/, /^DATABASE_LISTEN_URL holds a well-known password/])
})

await t.test('a misspelt setting is named with the nearest right one', async (t) => {
  const misspelt = {
    DATABSE_URL: 'DATABASE_URL',
    DATABASE_URI: 'DATABASE_URL',
    ACCESS_TOKEN_EXPIRE_MINUTE: 'ACCESS_TOKEN_EXPIRE_MINUTES',
    LIMIT_LOGINS: 'LIMIT_LOGIN',
    SMTP_URL_FLE: 'SMTP_URL_FILE',
    KEY_DIR: 'KEYS_DIR',
    ISUER: 'ISSUER',
    PROT: 'PORT',
    PORTT: 'PORT',
    HSOT: 'HOST'
  }
  for (const [name, right] of Object.entries(misspelt)) {
    t.same(faultsOf({ [name]: 'x' }), [`${name} is no setting: it must be ${right}`])
  }
  t.same(
    faultsOf({
      PWD: '/',
      HOSTNAME: 'x',
      HOSTS: 'x',
      POST: 'x',
      SORT: 'x',
      DOC: 'x',
      SMTP_HOST: 'x',
      DATABASE_URL_2: 'x',
      POSTGRES_PASSWORD: 'x',
      DATABASE_HOST: 'x'
    }),
    [],
    'others have their own'
  )
  t.same(faultsOf({ DATABASE_URI: '' }), [], 'an empty variable counts as absent')
})
