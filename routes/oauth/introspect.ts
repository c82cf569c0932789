import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { clientOf } from '../../plugins/access.ts'
import { OAuthError } from '../../src/oauth/errors.ts'
import { scopeOf } from '../../src/oauth/scope.ts'
import type { Principal } from '../../src/tokens/claims.ts'
import { ok, ref } from '../schemas.ts'
import { formOnly, Introspection, IntrospectionRequest, OAuthErrorBody, refusals } from './schemas.ts'

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
      response: {
        200: ok(Introspection, 'What the token says, if it is good'),
        ...refusals,
        403: ok(OAuthErrorBody, '`insufficient_scope`: the client does not have the scope `introspect`')
      }
    },
    async handler(request) {
      if (!clientOf(request).scopes.has('introspect')) throw new OAuthError('insufficient_scope')
      const principal = await app.identify(request, request.body.token)
      return principal === undefined ? { active: false } : describe(principal)
    }
  })
}

function describe(principal: Principal) {
  const { claims, roles } = principal
  const { iss, aud, iat, exp, jti, sub, is_reader, is_author, is_admin } = claims
  const holder =
    'client_id' in claims ? { client_id: claims.client_id } : { username: claims.username, sid: claims.sid }
  return {
    active: true,
    ...scopeOf({ roles, scopes: principal.kind === 'client' ? principal.scopes : new Set() }),
    ...holder,
    token_type: 'Bearer' as const,
    ...{ exp, iat, sub, aud, iss, jti, is_reader, is_author, is_admin }
  }
}
