import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { scopeOf } from '../../src/oauth/scope.ts'
import type { Principal } from '../../src/tokens/claims.ts'
import { ok, ref } from '../schemas.ts'
import { formOnly, Introspection, IntrospectionRequest, refusals } from './schemas.ts'

export const introspect: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/introspect',
    config: { takesForm: true, isRead: true, problems: ['rate_limited', 'unavailable'] },
    schema: {
      operationId: 'introspectToken',
      summary: 'Whether a token is good here and now',
      description: 'RFC 7662, for access tokens. What was revoked, expired, or never was ours is `{"active":false}`.',
      tags: ['services'],
      consumes: formOnly,
      body: ref(IntrospectionRequest),
      response: { 200: ok(Introspection, 'What the token says, if it is good'), ...refusals }
    },
    async handler(request) {
      const principal = await app.identify(request, request.body.token)
      return principal === undefined ? { active: false } : describe(principal)
    }
  })
}

function describe({ claims, roles }: Principal) {
  const { iss, aud, iat, exp, jti, sub, is_reader, is_author, is_admin } = claims
  const holder =
    'client_id' in claims ? { client_id: claims.client_id } : { username: claims.username, sid: claims.sid }
  return {
    active: true,
    ...scopeOf(roles),
    ...holder,
    token_type: 'Bearer' as const,
    ...{ exp, iat, sub, aud, iss, jti, is_reader, is_author, is_admin }
  }
}
