import t from 'tap'
import { call, type CallOptions, cookiesOf, registerPerson, startSession } from '../../support/client.ts'
import { startService } from '../../support/service.ts'

// A logout that says yes and ends nothing.
await t.test('logout ends the session that any authentic credential names', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  const isAlive = async (token: string) => (await call(service, 'GET /auth/me', { bearer: token })).status === 200
  const logOut = async (options: CallOptions) => {
    const answer = await call(service, 'POST /auth/logout', options)
    t.match(answer, { status: 200, body: { message: 'Logged out successfully' } })
    t.match(answer.cookies, [/^access_token=;.*Max-Age=0/, /^refresh_token=;.*Max-Age=0/])
  }

  await t.test('the bearer token', async (t) => {
    const { access_token: token } = await startSession(service, person)
    await logOut({ bearer: token })
    t.notOk(await isAlive(token))
  })

  await t.test('the refresh token in the body, whether there is a bearer token or not', async (t) => {
    const tokens = await startSession(service, person)
    await logOut({ json: { refresh_token: tokens.refresh_token } })
    t.notOk(await isAlive(tokens.access_token))
    t.match((await call(service, 'POST /auth/refresh', { json: { refresh_token: tokens.refresh_token } })).status, 401)
    const [one, two] = [await startSession(service, person), await startSession(service, person)]
    await logOut({ bearer: one.access_token, json: { refresh_token: two.refresh_token } })
    t.same([await isAlive(one.access_token), await isAlive(two.access_token)], [false, false])
  })

  await t.test('a bearer token that has expired, and one from before a change of roles', async (t) => {
    const past = await startService(t, { ...service.env, ACCESS_TOKEN_EXPIRE_MINUTES: '1' })
    const now = Date.now
    t.teardown(() => (Date.now = now))
    Date.now = () => now() - 3_600_000
    const tokens = await startSession(past, person)
    Date.now = now
    t.match((await call(service, 'GET /auth/me', { bearer: tokens.access_token })).body, { code: 'token_expired' })
    await logOut({ bearer: tokens.access_token })
    t.match((await call(service, 'POST /auth/refresh', { json: { refresh_token: tokens.refresh_token } })).status, 401)

    const outdated = await startSession(service, person)
    await service.app.operations.updateUser({ username: person.username }, { isAuthor: true }, {})
    await logOut({ bearer: outdated.access_token })
    t.equal(
      (await call(service, 'POST /auth/refresh', { json: { refresh_token: outdated.refresh_token } })).status,
      401
    )
  })

  await t.test('either cookie alone', async (t) => {
    for (const name of ['access_token', 'refresh_token']) {
      const login = await call(service, 'POST /auth/login', {
        json: { username: person.username, password: person.password }
      })
      const cookie = cookiesOf(login)
        .split('; ')
        .find((pair) => pair.startsWith(name))!
      await logOut({ cookie })
      t.notOk(await isAlive((login.body as { access_token: string }).access_token), name)
    }
  })

  await t.test('nothing, where the credential is forged or the body means nothing', async (t) => {
    const tokens = await startSession(service, person)
    const forged = `${tokens.access_token.slice(0, -8)}AAAAAAAA`
    await logOut({ bearer: forged })
    for (const raw of ['{', '[]', 'null', '{"refresh_token":7}', '{"refresh_token":"x","more":1}', ''])
      await logOut({ raw, headers: { 'content-type': 'application/json' } })
    await logOut({ raw: 'refresh_token=x', headers: { 'content-type': 'text/plain' } })
    t.ok(await isAlive(tokens.access_token))
  })

  await t.test("a foreign page's request without a bearer token is refused, whatever its body", async (t) => {
    const tokens = await startSession(service, person)
    const answer = await call(service, 'POST /auth/logout', {
      json: { refresh_token: tokens.refresh_token },
      headers: { origin: 'https://evil.example' }
    })
    t.match(answer, { status: 403, body: { code: 'cross_origin_refused' } })
    t.ok(await isAlive(tokens.access_token))
  })
})
