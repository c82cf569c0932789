import { createHash } from 'node:crypto'
import t from 'tap'
import { call } from '../../support/client.ts'
import { partsOf } from '../../support/forge.ts'
import { askToken, basic, createClient, post } from '../../support/service-client.ts'
import { kinds, sql, startService } from '../../support/service.ts'

for (const kind of kinds) {
  await t.test(`a service gets a token by its secret, and passes guards with it, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const client = await createClient(service, { isReader: true, isAuthor: true })

    await t.test('by HTTP Basic or in the form, with the roles that it has', async (t) => {
      const form = { grant_type: 'client_credentials', client_id: client.id, client_secret: client.secret }
      for (const answer of [await askToken(service, client), await post(service, '/oauth/token', form)]) {
        t.equal(answer.status, 200)
        t.equal(answer.headers.get('cache-control'), 'no-store')
        t.equal(answer.headers.get('pragma'), 'no-cache')
        t.strictSame(
          { ...(answer.body as object), access_token: '' },
          { access_token: '', token_type: 'Bearer', expires_in: 900, scope: 'reader author' },
          'and no refresh token'
        )
        const { header, payload } = partsOf((answer.body as { access_token: string }).access_token)
        t.match(header, { typ: 'at+jwt', alg: 'ES256' })
        t.match(payload, {
          iss: 'http://gatehouse.test',
          aud: 'gatehouse',
          sub: `client:${client.id}`,
          client_id: client.id,
          scope: 'reader author',
          is_reader: true,
          is_author: true,
          is_admin: false
        })
      }
    })

    await t.test('routes of roles and reverse proxies know it; routes about oneself refuse it', async (t) => {
      const { access_token: bearer } = (await askToken(service, client)).body as { access_token: string }
      const allowed = await call(service, 'GET /authz/author', { bearer })
      t.equal(allowed.status, 204)
      t.equal(allowed.headers.get('x-auth-request-user'), `client:${client.id}`)
      t.equal(allowed.headers.get('x-auth-request-groups'), 'reader,author')
      t.equal((await call(service, 'GET /authz/admin', { bearer })).status, 403)
      t.equal((await call(service, 'GET /admin/clients', { bearer })).status, 403)
      const me = await call(service, 'GET /auth/me', { bearer })
      t.match([me.status, me.body], [403, { code: 'permission_denied' }])
      t.equal((await call(service, 'POST /auth/refresh', { json: { refresh_token: bearer } })).status, 401)
    })

    await t.test('a scope names some of its roles, and none that it does not have', async (t) => {
      const reader = await askToken(service, client, { scope: 'reader' })
      t.match(reader.body, { scope: 'reader' })
      const bearer = (reader.body as { access_token: string }).access_token
      t.equal((await call(service, 'GET /authz/reader', { bearer })).status, 204)
      t.equal((await call(service, 'GET /authz/author', { bearer })).status, 403)
      for (const scope of ['admin', 'reader admin', 'owner', 'Reader', 'reader  author', ' ', 'constructor']) {
        const answer = await askToken(service, client, { scope })
        t.match([answer.status, answer.body], [400, { error: 'invalid_scope' }], JSON.stringify(scope))
      }
      const nobody = await createClient(service, {})
      t.notOk('scope' in ((await askToken(service, nobody)).body as object), 'no role, no scope')
      t.equal((await askToken(service, nobody, { scope: 'reader' })).status, 400)
    })
  })
}

await t.test('the forms of the token endpoint', async (t) => {
  const service = await startService(t)
  const client = await createClient(service)
  const { id, secret } = client
  const grant = 'grant_type=client_credentials'
  const refusal = async (form: string, error: string, headers?: string) => {
    const answer = await post(service, '/oauth/token', form, headers === undefined ? client : undefined)
    t.match([answer.status, answer.body], [400, { error, error_description: /\w+ \w+/ }], form)
    t.equal(answer.headers.get('cache-control'), 'no-store', form)
    t.match(answer.headers.get('content-type'), /^application\/json/, form)
    t.match((answer.body as { error_description: string }).error_description, /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, form)
    t.strictSame(Object.keys(answer.body as object), ['error', 'error_description'], form)
  }

  await t.test('a repeated parameter is refused, known or not', async () => {
    await refusal(`${grant}&${grant}`, 'invalid_request')
    await refusal(`${grant}&scope=reader&scope=reader`, 'invalid_request')
    await refusal(`${grant}&color=red&color=blue`, 'invalid_request')
    await refusal(`${grant}&client_id=${id}&client_secret=${secret}&client_secret=${secret}`, 'invalid_request', 'none')
  })

  await t.test('a parameter without a value counts as omitted, one that we do not know as none', async (t) => {
    const answer = await post(service, '/oauth/token', `${grant}&scope=&client_secret=&color=red&__proto__=x`, client)
    t.match([answer.status, answer.body], [200, { scope: 'reader' }])
    await refusal('grant_type=&scope=reader', 'invalid_request')
    await refusal('', 'invalid_request')
  })

  await t.test('there is one grant', async () => {
    for (const other of [
      'password',
      'refresh_token',
      'authorization_code',
      'urn:ietf:params:oauth:grant-type:jwt-bearer'
    ])
      await refusal(`grant_type=${other}`, 'unsupported_grant_type')
  })

  await t.test('a client authenticates in one way; naming itself beside it is none', async (t) => {
    await refusal(`${grant}&client_id=${id}&client_secret=${secret}`, 'invalid_request')
    await refusal(`${grant}&client_secret=${secret}`, 'invalid_request')
    await refusal(`${grant}&client_id=another`, 'invalid_request')
    t.equal((await post(service, '/oauth/token', `${grant}&client_id=${id}`, client)).status, 200)
  })

  await t.test('both halves of HTTP Basic are form-urlencoded', async (t) => {
    const escaped = (text: string) =>
      [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
    const asBasic = (credentials: string, scheme = 'Basic') => ({
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `${scheme} ${Buffer.from(credentials).toString('base64')}`
    })
    const ask = async (headers: Record<string, string>) =>
      (await call(service, 'POST /oauth/token', { raw: grant, headers })).status
    t.equal(await ask(asBasic(`${escaped(id)}:${escaped(secret)}`)), 200)
    t.equal(await ask(asBasic(`${id}:${secret}`, 'bAsIc')), 200)
    // A secret of ours needs no encoding; one that does is told apart all the same (RFC 6749, appendix B).
    const special = 'a b:c+d%&=é"'
    const digest = createHash('sha256').update(special).digest('base64url')
    await sql(service, 'insert into client_secrets (client_id, digest) values ($1, $2)', [id, digest])
    t.equal(await ask(asBasic(`${id}:${new URLSearchParams({ '': special }).toString().slice(1)}`)), 200)
    t.equal(await ask(asBasic(`${id}:${special}`)), 401)
    for (const broken of ['%', '%zz', '%ff', 'no colon', ':', '', `${id}:`, `:${secret}`])
      t.equal(await ask(asBasic(broken)), 401, broken)
    for (const authorization of ['Basic', 'Basic ', 'Basic !!!', `Basic ${id}:${secret}`, 'Bearer x', 'Digest x', ''])
      t.equal(await ask({ 'content-type': 'application/x-www-form-urlencoded', authorization }), 401, authorization)
  })

  await t.test('a body is a form and nothing else, and what is refused is told in the words of OAuth', async (t) => {
    const authorization = basic(client)
    const json = { grant_type: 'client_credentials' }
    const refused = [
      await call(service, 'POST /oauth/token', { json, headers: { authorization } }),
      await call(service, 'POST /oauth/token', {
        raw: grant,
        headers: { authorization, 'content-type': 'text/plain' }
      }),
      await call(service, 'POST /oauth/token', {
        raw: grant,
        headers: { authorization, 'content-type': 'application/x-www-form-urlencoded; charset=utf-16' }
      })
    ]
    for (const path of ['/oauth/introspect', '/oauth/revoke'] as const)
      refused.push(await call(service, `POST ${path}`, { json: { token: 'x' }, headers: { authorization } }))
    for (const { status, headers, body } of refused) {
      t.equal(status, 415)
      t.match(headers.get('content-type'), /^application\/json/)
      t.match(body, { error: 'invalid_request', error_description: /application\/x-www-form-urlencoded/ })
      t.notOk('code' in (body as object))
    }
    const large = await post(service, '/oauth/token', `${grant}&x=${'x'.repeat(17_000)}`, client)
    t.match([large.status, large.body], [413, { error: 'invalid_request', error_description: /16 KiB/ }])
    const many = await post(
      service,
      '/oauth/token',
      Array.from({ length: 1500 }, (_, n) => `p${String(n)}=1`).join('&')
    )
    t.equal(many.status, 401)
  })
})
