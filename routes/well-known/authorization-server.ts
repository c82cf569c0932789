import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { roles } from '../../src/roles.ts'
import { sendCacheable } from './cacheable.ts'

const Words = Type.Array(Type.String())

const AuthorizationServer = Type.Object(
  {
    issuer: Type.String(),
    token_endpoint: Type.String(),
    introspection_endpoint: Type.String(),
    revocation_endpoint: Type.String(),
    jwks_uri: Type.String(),
    scopes_supported: Words,
    response_types_supported: Words,
    grant_types_supported: Words,
    token_endpoint_auth_methods_supported: Words,
    introspection_endpoint_auth_methods_supported: Words,
    revocation_endpoint_auth_methods_supported: Words
  },
  { $id: 'AuthorizationServer' }
)

export const authorizationServer: FastifyPluginAsyncTypebox = async (app) => {
  const { issuer } = app.config
  const base = issuer.replace(/\/+$/, '')
  const authMethods = ['client_secret_basic', 'client_secret_post']
  const metadata = {
    issuer,
    token_endpoint: `${base}/oauth/token`,
    introspection_endpoint: `${base}/oauth/introspect`,
    revocation_endpoint: `${base}/oauth/revoke`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    scopes_supported: [...roles],
    // Required, and empty: nobody is sent here to log in.
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: authMethods,
    introspection_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint_auth_methods_supported: authMethods
  }
  app.addSchema(AuthorizationServer)
  app.route({
    method: 'GET',
    url: '/oauth-authorization-server',
    config: { access: 'public' },
    schema: {
      operationId: 'getAuthorizationServer',
      summary: 'Get the authorization server metadata',
      description: 'RFC 8414. The URLs begin with ISSUER.',
      tags: ['services'],
      response: {
        200: { description: 'The metadata', $ref: 'AuthorizationServer#' },
        304: { type: 'null', description: 'Not modified' }
      }
    },
    handler: (request, reply) => sendCacheable(request, reply, metadata)
  })
}
