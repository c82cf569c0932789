import t from 'tap'
import { call, logIn, registerPerson } from '../support/client.ts'
import { type Service, sql, startService } from '../support/service.ts'

let count = 0

async function register(service: Service, password: string) {
  count += 1
  const username = `person${String(count)}`
  const answer = await call(service, 'POST /auth/registration', {
    json: { username, email: `mail${String(count)}@example.com`, password }
  })
  return { username, answer }
}

const login = async (service: Service, username: string, password: string) =>
  (await call(service, 'POST /auth/login', { json: { username, password } })).status

await t.test('passwords over HTTP', async (t) => {
  const service = await startService(t)

  await t.test('have a least length, which can be raised', async (t) => {
    const short = await register(service, 'sevench')
    t.equal(short.answer.status, 400)
    t.match(short.answer.body, {
      code: 'validation_failed',
      errors: [{ path: '/body/password', message: 'must have at least 8 characters' }]
    })
    t.equal((await register(service, 'eightchr')).answer.status, 201)
    const stricter = await startService(t, { PASSWORD_MIN_LENGTH: '15' })
    t.equal((await register(stricter, 'fourteen chars')).answer.status, 400)
    t.equal((await register(stricter, 'fifteen of them')).answer.status, 201)
  })

  await t.test('may be long and of any script, and are compared to the last character', async (t) => {
    for (const password of [
      '🐘'.repeat(64),
      'x1 '.repeat(42) + 'yz',
      'كلمة السر الطويلة',
      '704813956204',
      'spaces  within '
    ]) {
      const { username, answer } = await register(service, password)
      t.equal(answer.status, 201, password)
      t.equal(await login(service, username, password), 200)
      t.equal(await login(service, username, `${password.slice(0, -2)}zz`), 401, 'another end')
    }
    // 72 bytes is where bcrypt stops to look.
    const long = 'abcdefghi '.repeat(10).trim() + '!'
    const { username } = await register(service, long)
    t.equal(await login(service, username, long.slice(0, 72)), 401)
    t.equal(await login(service, username, `${long.slice(0, 72)}?${long.slice(73)}`), 401)
    t.equal(await login(service, username, long.toUpperCase()), 401)
    t.equal(await login(service, username, `${long} `), 401)
    t.equal(await login(service, username, ` ${long}`), 401)
    t.equal(await login(service, username, long), 200)
  })

  await t.test('are the same composed and decomposed', async (t) => {
    const composed = 'éñüåçïôàê'.normalize('NFC')
    const decomposed = composed.normalize('NFD')
    t.not(composed, decomposed)
    const first = await register(service, composed)
    t.equal(await login(service, first.username, decomposed), 200)
    const second = await register(service, decomposed)
    t.equal(await login(service, second.username, composed), 200)
  })

  await t.test('are refused if common or made of the name, and the answer says why', async (t) => {
    for (const [password, why] of [
      ['password1', 'is too common: choose one that is harder to guess'],
      ['QWERTYUIOP', 'is too common: choose one that is harder to guess'],
      [`person${String(count + 3)}!`, 'must not contain the username'],
      [`__mail${String(count + 4)}__`, 'must not contain the name in the e-mail address'],
      ['gatehouse123', 'must not be the name of this service']
    ] as const) {
      const { answer } = await register(service, password)
      t.equal(answer.status, 400, password)
      t.match(answer.body, { errors: [{ path: '/body/password', message: why }] })
      t.notOk(answer.text.includes(password), 'the password is not repeated')
    }
  })

  await t.test('equal ones have different hashes', async (t) => {
    await register(service, 'the very same words')
    await register(service, 'the very same words')
    const rows = await sql<{ password: string }>(service, 'select password from users order by id desc limit 2')
    t.match(rows[0]?.password, /^\$argon2id\$v=19\$m=8,t=1,p=1\$/)
    t.not(rows[0]?.password, rows[1]?.password)
  })
})

await t.test('hashes at the strength that OWASP advises unless told otherwise', async (t) => {
  const service = await startService(t, { ARGON2_MEMORY_KIB: '', ARGON2_ITERATIONS: '' })
  await register(service, 'a long and quiet evening')
  const rows = await sql<{ password: string }>(service, 'select password from users')
  t.match(rows[0]?.password, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
})

await t.test('a login brings a weak hash to the present strength', async (t) => {
  const weak = await startService(t)
  const person = await registerPerson(weak)
  const strong = await startService(t, { ...weak.env, ARGON2_MEMORY_KIB: '64' })
  const stored = async () => (await sql<{ password: string }>(weak, 'select password from users'))[0]?.password
  const before = await stored()
  t.match(before, /m=8,/)

  t.equal(await login(strong, person.username, 'not the password'), 401)
  t.equal(await stored(), before, 'not a failed one')

  // A trigger that fails on any new password, as a full disk or a lock might.
  await sql(weak, "create function fail() returns trigger language plpgsql as $$ begin raise 'no' ; end $$")
  await sql(weak, 'create trigger fail before update of password on users for each row execute function fail()')
  t.ok(await logIn(strong, person), 'a failure to store it keeps nobody out')
  t.equal(await stored(), before)
  await sql(weak, 'drop trigger fail on users')

  t.ok(await logIn(strong, person))
  t.match(await stored(), /m=64,/)
  t.ok(await logIn(strong, person))
  t.equal((await call(strong, 'GET /auth/me', { bearer: person.token })).status, 200, 'sessions live on')
})

await t.test('a stored hash that cannot be read is a failed login, and the operator is told', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  await sql(service, "update users set password = 'rubbish'")
  for (const password of [person.password, 'rubbish']) t.equal(await login(service, person.username, password), 401)
  t.ok(
    service.log.some((line) => line.includes('a stored password hash cannot be read') && line.includes('"level":50'))
  )
})

await t.test('a new installation has no account', async (t) => {
  const service = await startService(t)
  t.same(await sql(service, 'select * from users'), [])
  for (const [username, password] of [
    ['admin', 'admin'],
    ['admin', 'password'],
    ['gatehouse', 'gatehouse'],
    ['root', 'root']
  ] as const) {
    t.equal(await login(service, username, password), 401)
  }
})

await t.test('the administrator of the environment is made once, and never beside another', async (t) => {
  const admin = {
    BOOTSTRAP_ADMIN_USERNAME: 'first-admin',
    BOOTSTRAP_ADMIN_EMAIL: 'admin@example.com',
    BOOTSTRAP_ADMIN_PASSWORD: 'a long and quiet evening'
  }
  const service = await startService(t, admin)
  t.equal(await login(service, 'first-admin', admin.BOOTSTRAP_ADMIN_PASSWORD), 200)
  const second = await startService(t, { ...service.env, BOOTSTRAP_ADMIN_USERNAME: 'second-admin' })
  t.equal(await login(second, 'second-admin', admin.BOOTSTRAP_ADMIN_PASSWORD), 401)
  t.same(await sql(service, 'select username, is_reader, is_author, is_admin from users'), [
    { username: 'first-admin', is_reader: true, is_author: false, is_admin: true }
  ])
  await t.rejects(
    startService(t, { ...admin, BOOTSTRAP_ADMIN_PASSWORD: 'password1' }),
    /too common/,
    'the policy holds for it, too'
  )
})
