import { createHash } from 'node:crypto'
import t from 'tap'
import { call, cookiesOf } from '../support/client.ts'
import { startMailServer } from '../support/mail-server.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { exchange } from '../support/raw.ts'
import { type Service, sql, startService } from '../support/service.ts'

const lines = (service: Service) => service.log.map((line) => JSON.parse(line) as Record<string, unknown>)

/** The forms in which a secret may turn up somewhere. */
const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  ...(['base64', 'base64url', 'hex'] as const).flatMap((encoding) => [
    Buffer.from(secret).toString(encoding).replace(/=+$/, ''),
    createHash('sha256').update(secret).digest(encoding).replace(/=+$/, '')
  ])
]

await t.test('no secret reaches the log, whatever happens', async (t) => {
  const server = await startPostgres()
  t.teardown(() => server.stop())
  // Without one, a developer's log has each mail in full.
  const mail = await startMailServer(t)
  const service = await startService(t, { ...mail.env, DATABASE_URL: server.url, LOG_LEVEL: 'trace' })
  const canary = {
    password: 'canary-Password é 7f3a91',
    wrong: 'canary-wrong-password-55e1',
    short: 'cnry7f1',
    token: 'canary.token.9b1d77aa',
    cookie: 'canary-cookie-0c4e1f',
    basic: Buffer.from('canary:basic-secret-81aa').toString('base64')
  }
  const secrets: string[] = Object.values(canary)
  const json = { username: 'alice', email: 'alice@example.com', password: canary.password }

  async function walk() {
    await call(service, 'POST /auth/registration', { json })
    await call(service, 'POST /auth/registration', { json: { ...json, email: 'other@example.com' } })
    await call(service, 'POST /auth/registration', { json: { ...json, username: 'bob', password: canary.short } })
    await call(service, 'POST /auth/registration', { json: { ...json, is_admin: canary.password } })
    await call(service, 'POST /auth/registration', {
      raw: `{"password":"${canary.password}"`,
      headers: { 'content-type': 'application/json' }
    })
    await call(service, 'POST /auth/login', { json: { username: 'alice', password: canary.wrong } })
    await call(service, 'POST /auth/login', { json: { username: canary.password, password: canary.wrong } })
    await call(service, 'POST /auth/login', { raw: canary.password, headers: { 'content-type': 'text/plain' } })
    await call(service, `POST /auth/login?password=${encodeURIComponent(canary.password)}`, { json: {} })
    await call(service, `GET /%zz?access_token=${canary.token}`)
    await call(service, `GET /nowhere?access_token=${canary.token}`)
    await call(service, 'GET /auth/me', { bearer: canary.token })
    await call(service, 'GET /auth/me', { cookie: `access_token=${canary.cookie}` })
    await call(service, 'GET /auth/me', { headers: { authorization: `Basic ${canary.basic}` } })
    await call(service, 'PATCH /auth/me', { bearer: canary.token, json: { first_name: canary.password } })
    await call(service, 'POST /auth/logout', { bearer: canary.token })
    await exchange(service, 'GET / HTTP/1.1', `Authorization: Bearer ${canary.token}`, 'not a header', '', '')
    const login = await call(service, 'POST /auth/login', { json: { username: 'alice', password: canary.password } })
    const token = (login.body as { access_token?: string }).access_token
    if (token === undefined) return
    secrets.push(token, token.split('.')[2]!)
    const cookie = cookiesOf(login)
    await call(service, 'GET /auth/me', { cookie })
    await call(service, 'GET /auth/me', { bearer: `${token}x` })
    await call(service, 'PATCH /auth/me', { cookie, json: { first_name: 'Ada', email: 'not an address' } })
    await call(service, 'GET /authz/admin', { cookie })
    await call(service, `GET /authz?access_token=${token}`)
    await call(service, 'POST /auth/logout', { cookie })
    await call(service, 'GET /auth/me', { cookie })
  }

  await walk()
  const [row] = await sql<{ password: string }>(service, 'select password from users')
  secrets.push(row!.password, ...row!.password.split('$').slice(-2))

  // An error of the database, of those that quote the statement, its parameters and the row.
  await sql(service, 'alter table users add constraint nobody check (last_login_at is null) not valid')
  const failed = await call(service, 'POST /auth/login', { json: { username: 'alice', password: canary.password } })
  t.equal(failed.status, 500)
  t.match(failed.body, { code: 'internal_error', detail: 'Something went wrong on our side' })
  await sql(service, 'alter table users drop column created_at')
  t.equal((await call(service, 'POST /auth/registration', { json })).status, 500)
  await server.halt()
  await walk()

  const logged = service.log.join('')
  for (const secret of secrets) {
    for (const form of formsOf(secret)) if (logged.includes(form)) t.fail(`the log holds ${form}`)
  }
  t.ok(secrets.length >= 11)
  for (const part of ['$argon2', 'Failed query', 'params:', 'alice@example.com', 'insert into', 'Failing row']) {
    t.notOk(logged.includes(part), `nothing of a statement, its parameters or its row: ${part}`)
  }
  const messages = lines(service).map(({ msg }) => msg)
  for (const message of ['answered', 'request failed', 'unavailable']) t.ok(messages.includes(message), message)
  t.match(
    lines(service).find(({ msg }) => msg === 'request failed'),
    { level: 50, reqId: String, err: { code: '23514', frames: Array } },
    'an operator still sees what failed, and where'
  )
})

await t.test('what clients send cannot forge or flood the log', async (t) => {
  const service = await startService(t)
  const long = 'x'.repeat(10_000)
  const logout = (userAgent: string) =>
    exchange(
      service,
      'POST /auth/logout HTTP/1.1',
      'Host: x',
      `User-Agent: ${userAgent}`,
      'X-Request-Id: chosen-by-the-client',
      'Request-Id: chosen-by-the-client',
      'Content-Length: 0',
      'Connection: close',
      '',
      ''
    )
  t.match(await logout(`"},{"level":60,"msg":"forged"}${long}`), /^HTTP\/1\.1 200 /)
  t.match(await logout('\u001b[31mred\u001b]0;title\u0007'), /^HTTP\/1\.1 400 /, 'control characters are no header')
  t.match(await logout('\u009b31mred'), /^HTTP\/1\.1 200 /)
  await call(service, `POST /auth/logout/${'%0d%0a'.repeat(20)}${long}`)
  await call(service, 'POST /auth/login', { json: { username: 'a\r\n{"level":60}', password: 'x' } })
  const answer = await call(service, 'POST /auth/logout', { headers: { 'x-request-id': 'chosen-by-the-client' } })

  t.not(answer.headers.get('x-request-id'), 'chosen-by-the-client')
  t.notOk(service.log.join('').includes('chosen-by-the-client'))
  for (const line of service.log) {
    t.ok(line.length < 2000, `a line of ${String(line.length)} characters`)
    t.equal(line.indexOf('\n'), line.length - 1, 'is one line')
    // eslint-disable-next-line no-control-regex
    t.notMatch(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f]/, 'has no control characters')
  }
  const answered = lines(service).filter(({ msg }) => msg === 'answered')
  t.ok(answered.length >= 4)
  for (const { level, time, reqId, ip } of answered) {
    t.not(level, 60)
    t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'the time is UTC')
    t.match(reqId, /^[0-9a-f]{12}-[0-9a-z]+$/)
    t.equal(ip, '127.0.0.1')
  }
  t.equal(new Set(answered.map(({ reqId }) => reqId)).size, answered.length, 'every request has an id of its own')
})
