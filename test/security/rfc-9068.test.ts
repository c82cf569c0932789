import * as oauth from 'oauth4webapi'
import t from 'tap'
import { registerPerson } from '../support/client.ts'
import { askToken, createClient } from '../support/service-client.ts'
import { startService } from '../support/service.ts'

// express-oauth2-jwt-bearer and Authlib are tried by "npm run check:validators".
await t.test('oauth4webapi accepts the access tokens of users and services as those of RFC 9068', async (t) => {
  const service = await startService(t, { AUDIENCE: 'articles' })
  const { ISSUER: issuer = '' } = service.env
  const server = { issuer, jwks_uri: `${service.url}/.well-known/jwks.json` }
  const validate = (token: string, audience = 'articles') => {
    const request = new Request('http://articles.test/', { headers: { authorization: `Bearer ${token}` } })
    return oauth.validateJwtAccessToken(server, request, audience, {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- the library's word of warning: the test has no TLS
      [oauth.allowInsecureRequests]: true,
      signingAlgorithms: ['ES256']
    })
  }
  const person = await registerPerson(service)
  const claims = await validate(person.token)
  t.match(claims, { iss: issuer, aud: 'articles', sub: String(person.id), client_id: 'articles', scope: 'reader' })
  t.type(claims.auth_time, 'number')

  const client = await createClient(service)
  const { access_token } = (await askToken(service, client)).body as { access_token: string }
  t.match(await validate(access_token), { sub: client.id, client_id: client.id, scope: 'reader' })

  await t.rejects(validate(person.token, 'another'), /audience|claim/)
  await t.rejects(validate(`${person.token.slice(0, -8)}AAAAAAAA`), /signature/)
})
