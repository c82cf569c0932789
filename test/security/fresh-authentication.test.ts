import { createPrivateKey } from 'node:crypto'
import { decodeJwt } from 'jose'
import t from 'tap'
import { registerAdmin } from '../support/admin.ts'
import { call, cookiesOf, type Person, registerPerson, startSession, type Tokens } from '../support/client.ts'
import { es256, forge, partsOf } from '../support/forge.ts'
import { kinds, type Service, sql, startService } from '../support/service.ts'

/** Tokens of a session whose user proved who they are an hour ago. */
async function startStaleSession(service: Service, person: Person): Promise<Tokens> {
  const tokens = await startSession(service, person)
  const { sid } = decodeJwt<{ sid: string }>(tokens.access_token)
  await sql(service, `update sessions set auth_time = now() - interval '1 hour' where id = '${sid}'`)
  return (await call(service, 'POST /auth/refresh', { json: { refresh_token: tokens.refresh_token } })).body as Tokens
}

await t.test('fresh authentication', async (t) => {
  const service = await startService(t)
  const [person, admin] = [await registerPerson(service), await registerAdmin(service)]

  await t.test('what changes who controls an account or the service asks for a recent proof', async (t) => {
    const { access_token: bearer } = await startStaleSession(service, admin)
    const client = (await call(service, 'POST /admin/clients', { bearer: admin.token, json: { name: 'c' } })).body as {
      id: string
      secrets: { id: string }[]
    }
    const requests: [operation: `${string} /${string}`, json?: object][] = [
      ['DELETE /auth/me', { password: admin.password }],
      ['POST /auth/username', { username: 'another-name' }],
      ['PATCH /auth/me', { first_name: 'Ada', email: 'other@example.com' }],
      ['POST /admin/users', { username: 'new-admin', email: 'n@example.com', is_admin: true }],
      [`PATCH /admin/users/${String(person.id)}`, { is_admin: true }],
      [`PATCH /admin/users/${String(person.id)}`, { is_disabled: true }],
      [`PATCH /admin/users/${String(person.id)}`, { email: 'other@example.com' }],
      [`DELETE /admin/users/${String(person.id)}`],
      ['POST /admin/sessions/revoke', { all: true }],
      ['POST /admin/clients', { name: 'another' }],
      [`PATCH /admin/clients/${client.id}`, { is_admin: true }],
      [`POST /admin/clients/${client.id}/secrets`],
      [`DELETE /admin/clients/${client.id}/secrets/${client.secrets[0]!.id}`],
      [`DELETE /admin/clients/${client.id}`]
    ]
    for (const [operation, json] of requests) {
      const answer = await call(service, operation, { bearer, ...(json && { json }) })
      t.match(
        answer,
        { status: 401, body: { code: 'reauthentication_required' } },
        `${operation} ${JSON.stringify(json)}`
      )
      t.equal(
        answer.headers.get('www-authenticate'),
        'Bearer error="insufficient_user_authentication", max_age=300',
        operation
      )
    }
    t.equal((await call(service, 'GET /admin/users', { bearer })).status, 200)
    const rename = { first_name: 'Ada' }
    t.equal((await call(service, `PATCH /admin/users/${String(person.id)}`, { bearer, json: rename })).status, 200)
    t.equal((await call(service, 'PATCH /auth/me', { bearer, json: rename })).status, 200)
    t.equal((await call(service, 'GET /auth/me', { bearer: person.token })).status, 200)
  })

  await t.test('a token that does not say when its user logged in is not recent', async (t) => {
    const { access_token: token } = await startSession(service, admin)
    const { header, payload } = partsOf(token)
    delete payload.auth_time
    // As the release before issued them.
    const old = forge(header, payload, es256(createPrivateKey(service.app.keyring.current().signing.privatePem)))
    t.equal((await call(service, 'GET /auth/me', { bearer: old })).status, 200)
    const answer = await call(service, 'POST /admin/clients', { bearer: old, json: { name: 'c' } })
    t.match(answer.body, { code: 'reauthentication_required' })
  })

  await t.test('a service client, which shows its secret for each token, is exempt', async (t) => {
    const created = await call(service, 'POST /admin/clients', {
      bearer: admin.token,
      json: { name: 'operator', is_admin: true }
    })
    const { id, client_secret: secret } = created.body as { id: string; client_secret: string }
    const token = await call(service, 'POST /oauth/token', {
      raw: new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' }
    })
    const bearer = (token.body as { access_token: string }).access_token
    t.equal((await call(service, 'POST /admin/clients', { bearer, json: { name: 'made by it' } })).status, 201)
  })
})

for (const kind of kinds) {
  await t.test(`proving again who one is, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const person = await registerPerson(service)

    await t.test('renews the same session by the transport of its token', async (t) => {
      const before = await startSession(service, person)
      const answer = await call(service, 'POST /auth/reauthenticate', {
        bearer: before.access_token,
        json: { password: person.password }
      })
      t.equal(answer.status, 200)
      const tokens = answer.body as Tokens
      const [was, is] = [decodeJwt(before.access_token), decodeJwt(tokens.access_token)]
      t.equal(is.sid, was.sid)
      t.ok((is.auth_time as number) >= (was.auth_time as number))
      t.equal(tokens.refresh_token, before.refresh_token)
      const login = await call(service, 'POST /auth/login', {
        json: { username: person.username, password: person.password }
      })
      const byCookie = await call(service, 'POST /auth/reauthenticate', {
        cookie: cookiesOf(login),
        json: { password: person.password }
      })
      t.match(byCookie.cookies, [/^access_token=ey/, /^refresh_token=\S+/])
      t.notOk('refresh_token' in (byCookie.body as object))
    })

    await t.test('takes the right password, and a session that has not ended', async (t) => {
      const { access_token: bearer } = await startSession(service, person)
      const wrong = await call(service, 'POST /auth/reauthenticate', { bearer, json: { password: 'not this one' } })
      t.match(wrong, { status: 401, body: { code: 'invalid_credentials' } })
      await call(service, 'POST /auth/logout', { bearer })
      const late = await call(service, 'POST /auth/reauthenticate', { bearer, json: { password: person.password } })
      t.match(late.body, { code: 'token_revoked' })
    })

    await t.test('a changed password ends every session, this one too, and hands over a new one', async (t) => {
      const [mine, thiefs] = [await startSession(service, person), await startSession(service, person)]
      const change = { current_password: person.password, new_password: 'another long and quiet evening' }
      const answer = await call(service, 'POST /auth/password', { bearer: mine.access_token, json: change })
      t.equal(answer.status, 200)
      const tokens = answer.body as Tokens
      for (const { access_token: bearer, refresh_token } of [mine, thiefs]) {
        t.equal((await call(service, 'GET /auth/me', { bearer })).status, 401)
        t.equal((await call(service, 'POST /auth/refresh', { json: { refresh_token } })).status, 401)
      }
      t.equal((await call(service, 'GET /auth/me', { bearer: tokens.access_token })).status, 200)
      const refreshed = await call(service, 'POST /auth/refresh', { json: { refresh_token: tokens.refresh_token } })
      t.equal(refreshed.status, 200)
    })

    await t.test('an access token names the client, the roles as a scope, and the proof', async (t) => {
      const { access_token: token } = await startSession(service, {
        ...person,
        password: 'another long and quiet evening'
      })
      const claims = decodeJwt(token)
      t.match(claims, { client_id: 'gatehouse', scope: 'reader', amr: ['pwd'], acr: '1', auth_time: Number })
    })
  })
}
