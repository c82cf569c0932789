import t from 'tap'
import { registerAdmin } from '../support/admin.ts'
import { call, cookiesOf, logIn, registerPerson, startSession } from '../support/client.ts'
import {
  attempt,
  from,
  letPass,
  registerElsewhere,
  somewhere,
  startLimited,
  statuses,
  times
} from '../support/limited.ts'
import { startMailServer, tokenIn } from '../support/mail-server.ts'
import { createClient, post } from '../support/service-client.ts'
import { sql, startService } from '../support/service.ts'

const password = 'a long and quiet evening'

await t.test('what docs/behaviour.md says', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  const { username, token } = person

  await t.test('the last of duplicate keys wins', async (t) => {
    const raw = `{"username":"nobody","username":"${username}","password":"${password}"}`
    const headers = { 'content-type': 'application/json' }
    t.equal((await call(service, 'POST /auth/login', { raw, headers })).status, 200)
  })

  await t.test('e-mail addresses are ASCII, and unique without regard to case', async (t) => {
    const register = (email: string) =>
      call(service, 'POST /auth/registration', { json: { username: `user-${String(email.length)}`, email, password } })
    t.equal((await register('zoë@example.com')).status, 400)
    t.equal((await register('zoe@exämple.com')).status, 400)
    t.equal((await register('zoe@xn--exmple-cua.com')).status, 201)
    t.match((await register('Zoe.@XN--exmple-cua.com')).body, { code: 'validation_failed' })
    t.match((await register(person.email.toUpperCase())).body, { code: 'email_taken' })
  })

  await t.test('a username in full-width letters is the same name', async (t) => {
    const json = { username: 'ａｌｉｃｅ', email: 'alice@example.com', password }
    t.equal((await call(service, 'POST /auth/registration', { json })).status, 201)
    const login = await call(service, 'POST /auth/login', { json: { username: 'alice', password } })
    t.equal(login.status, 200)
    const me = await call(service, 'GET /auth/me', { cookie: cookiesOf(login) })
    t.match(me.body, { username: 'alice' })
  })

  await t.test('passwords are compared after NFC, with their blanks', async (t) => {
    const composed = ' caf\u00e9 by the river '
    const json = { username: 'walker', email: 'walker@example.com', password: composed }
    t.equal((await call(service, 'POST /auth/registration', { json })).status, 201)
    const login = async (typed: string) =>
      (await call(service, 'POST /auth/login', { json: { username: 'walker', password: typed } })).status
    t.equal(await login(composed.normalize('NFD')), 200)
    t.equal(await login(composed.trim()), 401)
  })

  await t.test('the bearer token counts before the cookie; another scheme is ignored', async (t) => {
    const cookie = `access_token=${token}`
    t.equal((await call(service, 'GET /auth/me', { cookie, bearer: 'forged' })).status, 401)
    t.equal((await call(service, 'GET /auth/me', { cookie: 'access_token=forged', bearer: token })).status, 200)
    const headers = { authorization: 'Basic YTpi' }
    t.equal((await call(service, 'GET /auth/me', { cookie, headers })).status, 200)
  })

  await t.test('a path with a slash too many is another path', async (t) => {
    t.equal((await call(service, 'GET /auth/me/', { bearer: token })).status, 404)
  })

  await t.test('another method on a known path is refused with those that it takes', async (t) => {
    const answer = await call(service, 'OPTIONS /auth/me', { bearer: token })
    t.match(answer, { status: 405, body: { code: 'method_not_allowed' } })
    t.equal(answer.headers.get('allow'), 'DELETE, GET, HEAD, PATCH')
    t.equal((await call(service, 'OPTIONS /auth/me')).status, 401)
  })

  await t.test('a change that changes nothing ends no token; searches and times of the audit', async (t) => {
    const admin = await registerAdmin(service)
    const ask = (path: string) => call(service, `GET /admin/${path}`, { bearer: admin.token })
    const json = { is_reader: true, is_disabled: false }
    const path = `PATCH /admin/users/${String(person.id)}` as const
    t.equal((await call(service, path, { bearer: admin.token, json })).status, 200)
    t.equal((await call(service, 'GET /auth/me', { bearer: token })).status, 200)
    for (const q of ['%25', '_']) t.match((await ask(`users?q=${q}`)).body, { items: [], next_cursor: null })
    const events = async (query: string) =>
      ((await ask(`audit-events?user_id=${String(admin.id)}&${query}`)).body as { items: { created_at: string }[] })
        .items
    const [latest] = await events('limit=1')
    const moment = new Date(latest?.created_at ?? '')
    const later = new Date(moment.getTime() + 1).toISOString()
    t.strictSame(await events(`since=${later}`), [])
    t.strictSame((await events(`until=${later}`))[0], latest)
    t.strictSame((await events(`since=${moment.toISOString()}&limit=1`))[0], latest)
  })

  await t.test('an address in other letters is the same', async (t) => {
    await sql(service, 'update users set email_verified = true where id = $1', [person.id])
    const email = person.email.toUpperCase()
    const changed = await call(service, 'PATCH /auth/me', { bearer: token, json: { email } })
    t.match(changed.body, { email, email_verified: true })
  })

  await t.test('/authz answers any method alike, whatever the body', async (t) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const body = method === 'GET' ? {} : { raw: '{"unfinished', headers: { 'content-type': 'text/plain' } }
      t.equal((await call(service, `${method} /authz/reader`, { bearer: token, ...body })).status, 204, method)
    }
  })

  await t.test(
    'forms are for /oauth, where what we do not know is ignored and what is there twice is refused',
    async (t) => {
      const client = await createClient(service, {})
      const ask = (form: string) => post(service, '/oauth/token', form, client)
      const json = { grant_type: 'client_credentials', client_id: client.id, client_secret: client.secret }
      t.equal((await call(service, 'POST /oauth/token', { json })).status, 415)
      const answer = await ask('grant_type=client_credentials&color=red&scope=')
      t.equal(answer.status, 200)
      t.notOk('scope' in (answer.body as object), 'no role, no scope')
      for (const twice of ['color=red&color=blue', 'grant_type=client_credentials'])
        t.match((await ask(`grant_type=client_credentials&${twice}`)).body, { error: 'invalid_request' })
      t.equal((await ask(`grant_type=client_credentials&client_id=${client.id}`)).status, 200)
      for (const second of [`client_secret=${client.secret}`, 'client_id=another'])
        t.match((await ask(`grant_type=client_credentials&${second}`)).body, { error: 'invalid_request' })
    }
  )

  await t.test('introspection of a refresh token says that it is not active, and of nothing is refused', async (t) => {
    const client = await createClient(service)
    const { refresh_token } = await startSession(service, person)
    t.equal((await post(service, '/oauth/introspect', { token: refresh_token }, client)).text, '{"active":false}')
    for (const form of ['', 'token=', 'token_type_hint=access_token'])
      t.match(await post(service, '/oauth/introspect', form, client), {
        status: 400,
        body: { error: 'invalid_request' }
      })
  })
})

await t.test('what is tried too often has to wait', async (t) => {
  const service = await startLimited(t)
  const { username } = await registerElsewhere(service)

  await t.test('a sixth failed login of one account', async (t) => {
    const failures = await times(5, () => attempt(service, username, 'not the password'))
    t.same(statuses(failures), [401, 401, 401, 401, 401])
    await letPass(service, -60)
    t.equal((await attempt(service, username, 'not the password')).status, 429)
  })

  await t.test('a twenty-first login from an address, of those that are well-formed', async (t) => {
    const address = somewhere()
    const malformed = () => call(service, 'POST /auth/login', { json: {}, headers: from(address) })
    t.same(statuses(await times(20, malformed)), Array<number>(20).fill(400))
    const logins = await times(21, (n) => attempt(service, `nobody-${String(n)}`, 'x', { address }))
    t.same(statuses(logins), [...Array<number>(20).fill(401), 429])
  })
})

await t.test('what docs/behaviour.md says of mailed links and verified addresses', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, { ...mail.env, REQUIRE_VERIFIED_EMAIL: 'on' })
  const made = { username: 'operator', email: 'operator@example.com', password }
  await service.app.operations.createUser(made, {}, ['reader'])

  await t.test('a user created by an operator has a verified address', async (t) => {
    const me = await call(service, 'GET /auth/me', { bearer: await logIn(service, made) })
    t.match(me.body, { email_verified: true })
  })

  await t.test('a link is void once a newer one was sent, and once the address has changed', async (t) => {
    const bearer = await logIn(service, made)
    const reset = async (token: string) => {
      const json = { token, new_password: 'another quiet evening' }
      return (await call(service, 'POST /auth/password/reset', { json })).status
    }
    const links = []
    for (const count of [1, 2]) {
      await call(service, 'POST /auth/password/forgot', { json: { email: made.email } })
      links.push(tokenIn(await mail.mailTo(t, made.email, count)))
    }
    t.equal(await reset(links[0]!), 400)
    await call(service, 'PATCH /auth/me', { bearer, json: { email: 'other@example.com' } })
    const token = tokenIn(await mail.mailTo(t, 'other@example.com'))
    t.equal((await call(service, 'POST /auth/email/verify', { json: { token } })).status, 204)
    t.equal(await reset(links[1]!), 400)
    t.match((await call(service, 'GET /auth/me', { bearer })).body, { email: 'other@example.com' })
    t.ok(await logIn(service, made))
  })

  await t.test(
    'who has an address unverified that an administrator gave them cannot refresh until it is',
    async (t) => {
      await service.app.operations.createUser({ username: 'root', email: 'root@example.com', password }, {}, ['admin'])
      const { refresh_token } = await startSession(service, made)
      const refresh = () => call(service, 'POST /auth/refresh', { json: { refresh_token } })
      const [row] = await sql<{ id: number }>(service, "select id from users where username = 'operator'")
      const changed = await call(service, `PATCH /admin/users/${String(row?.id)}`, {
        bearer: await logIn(service, { username: 'root', password }),
        json: { email: 'third@example.com' }
      })
      t.match(changed.body, { email: 'third@example.com', email_verified: false })
      t.match(await refresh(), { status: 401, body: { code: 'refresh_token_invalid' } })
      await t.rejects(logIn(service, made), /401/)
      const token = tokenIn(await mail.mailTo(t, 'third@example.com'))
      t.equal((await call(service, 'POST /auth/email/verify', { json: { token } })).status, 204)
      t.equal((await refresh()).status, 200, 'the session has not ended')
    }
  )
})
