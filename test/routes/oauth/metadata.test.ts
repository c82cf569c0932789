import t from 'tap'
import { call } from '../../support/client.ts'
import { startService } from '../../support/service.ts'

await t.test('the metadata tell strangers where to go, by the issuer (RFC 8414)', async (t) => {
  const service = await startService(t, { ISSUER: 'https://login.example.com/' })
  const answer = await call(service, 'GET /.well-known/oauth-authorization-server')
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('cache-control'), 'public, max-age=300')
  const methods = ['client_secret_basic', 'client_secret_post']
  t.strictSame(answer.body, {
    issuer: 'https://login.example.com/',
    token_endpoint: 'https://login.example.com/oauth/token',
    introspection_endpoint: 'https://login.example.com/oauth/introspect',
    revocation_endpoint: 'https://login.example.com/oauth/revoke',
    jwks_uri: 'https://login.example.com/.well-known/jwks.json',
    scopes_supported: ['reader', 'author', 'admin'],
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: methods
  })
  const etag = answer.headers.get('etag') ?? ''
  const again = await call(service, 'GET /.well-known/oauth-authorization-server', {
    headers: { 'if-none-match': etag }
  })
  t.equal(again.status, 304)
})
