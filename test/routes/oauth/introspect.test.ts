import t from 'tap'
import { call, registerPerson, startSession } from '../../support/client.ts'
import { es256, forge, partsOf, signingKeyOf } from '../../support/forge.ts'
import { askToken, createClient, introspect, post, tokenOf } from '../../support/service-client.ts'
import { kinds, startService } from '../../support/service.ts'

for (const kind of kinds) {
  await t.test(`what a service learns of a token, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const asking = await createClient(service)
    const person = await registerPerson(service, 'alice')

    await t.test('of a good one what it says', async (t) => {
      const answer = await post(service, '/oauth/introspect', { token: person.token }, asking)
      const { iat, exp, jti, sid, auth_time } = partsOf(person.token).payload
      t.equal(answer.status, 200)
      t.equal(answer.headers.get('cache-control'), 'no-store')
      t.strictSame(answer.body, {
        active: true,
        scope: 'reader',
        username: person.username,
        client_id: 'gatehouse',
        auth_time,
        amr: ['pwd'],
        acr: '1',
        token_type: 'Bearer',
        exp,
        iat,
        sub: String(person.id),
        aud: 'gatehouse',
        iss: 'http://gatehouse.test',
        jti,
        sid,
        is_reader: true,
        is_author: false,
        is_admin: false
      })
    })

    await t.test("of a service's too, be it another's or its own", async (t) => {
      const other = await createClient(service, { isAuthor: true })
      const { access_token: token } = (await askToken(service, other)).body as { access_token: string }
      const { iat, exp, jti } = partsOf(token).payload
      for (const client of [asking, other]) {
        t.strictSame(JSON.parse(await introspect(service, client, token)), {
          active: true,
          scope: 'author',
          client_id: other.id,
          token_type: 'Bearer',
          exp,
          iat,
          sub: `client:${other.id}`,
          aud: 'gatehouse',
          iss: 'http://gatehouse.test',
          jti,
          is_reader: false,
          is_author: true,
          is_admin: false
        })
      }
    })

    await t.test('of any other that it is not active, and nothing else', async (t) => {
      const { key } = signingKeyOf(service)
      const { header, payload } = partsOf(person.token)
      const signed = (claims: object) => forge(header, { ...payload, ...claims }, es256(key))
      const now = Math.floor(Date.now() / 1000)
      const ended = await startSession(service, person)
      await call(service, 'POST /auth/logout', { bearer: ended.access_token })
      const disabled = await createClient(service)
      const ofDisabled = await tokenOf(service, disabled)
      await service.app.operations.updateClient(disabled.id, { isDisabled: true }, {})
      const { refresh_token } = await startSession(service, person)
      const tokens = {
        unknown: signed({ sub: '1.5' }),
        'of a forger': `${person.token.slice(0, -8)}AAAAAAAA`,
        expired: signed({ iat: now - 1000, exp: now - 1 }),
        'not yet issued': signed({ iat: now + 3600, exp: now + 7200 }),
        revoked: ended.access_token,
        'of a disabled service': ofDisabled,
        'of another audience': signed({ aud: 'another' }),
        'of another issuer': signed({ iss: 'http://another.test' }),
        'a refresh token': refresh_token,
        'a secret': asking.secret,
        garbage: 'x',
        'nothing but blanks': '   ',
        'what is no text': '\0\u0007\ud800',
        long: 'x'.repeat(10_000),
        dots: '..'
      }
      for (const [title, token] of Object.entries(tokens)) {
        const answer = await post(service, '/oauth/introspect', { token }, asking)
        t.strictSame([answer.status, answer.text], [200, '{"active":false}'], title)
        t.equal(answer.headers.get('cache-control'), 'no-store', title)
      }
      t.match(await post(service, '/oauth/introspect', '', asking), { status: 400, body: { error: 'invalid_request' } })
    })
  })
}

await t.test('a user who is disabled, and a role that is withdrawn, end what introspection says', async (t) => {
  const service = await startService(t)
  const asking = await createClient(service)
  const person = await registerPerson(service)
  t.match(await introspect(service, asking, person.token), '"active":true')
  await service.app.operations.updateUser({ username: person.username }, { isAuthor: true }, {})
  t.equal(await introspect(service, asking, person.token), '{"active":false}')
})

await t.test('who does not authenticate learns nothing', async (t) => {
  const service = await startService(t)
  const { token } = await registerPerson(service)
  const { id } = await createClient(service)
  for (const path of ['/oauth/introspect', '/oauth/revoke', '/oauth/token'] as const) {
    const refused = [
      await post(service, path, { token }),
      await post(service, path, { token }, { id, secret: 'wrong' }),
      await post(service, path, { token, client_id: id }),
      await call(service, `POST ${path}`, { bearer: token })
    ]
    for (const answer of refused) {
      t.match([answer.status, answer.body], [401, { error: 'invalid_client' }], path)
      t.equal(answer.headers.get('www-authenticate'), 'Basic realm="gatehouse"')
      t.equal(answer.headers.get('cache-control'), 'no-store')
    }
  }
})
