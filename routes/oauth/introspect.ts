import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireClient } from '../../plugins/access.ts'
import { claimsFor } from '../../src/roles.ts'
import { OAuthError } from '../../src/oauth-errors.ts'
import { toScope } from '../../src/tokens/granted-scope.ts'
import { type AccessClaims, isClientClaims, type Principal } from '../../src/tokens/claims.ts'
import { ok, ref } from '../schemas.ts'
import { formOnly, Introspection, IntrospectionRequest, OAuthErrorBody, refusals } from './schemas.ts'

export const introspect: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/introspect',
    config: { takesForm: true, isRead: true, problems: ['rate_limited', 'unavailable'] },
    schema: {
      operationId: 'introspectToken',
      summary: 'Introspect an access token',
      description: 'RFC 7662, for access tokens. What was revoked, expired, or never was ours is `{"active":false}`.',
      tags: ['services'],
      consumes: formOnly,
      body: ref(IntrospectionRequest),
      response: {
        200: ok(Introspection, 'The claims of the token, if it is active'),
        ...refusals,
        403: ok(OAuthErrorBody, '`insufficient_scope`: the client does not have the scope `introspect`')
      }
    },
    async handler(request) {
      if (!requireClient(request).scopes.has('introspect')) throw new OAuthError('insufficient_scope')
      const principal = await app.identify(request, request.body.token)
      return principal === undefined ? { active: false } : describe(principal)
    }
  })
}

function describe(principal: Principal) {
  const { claims, roles } = principal
  const { iss, aud, iat, exp, jti, sub } = claims
  return {
    active: true,
    ...toScope({ roles, scopes: principal.kind === 'client' ? principal.scopes : new Set() }),
    ...describeHolder(claims),
    token_type: 'Bearer' as const,
    ...{ exp, iat, sub, aud, iss, jti },
    ...claimsFor(roles)
  }
}

function describeHolder(claims: AccessClaims) {
  if (isClientClaims(claims)) return { client_id: claims.client_id }
  const { username, sid, client_id, auth_time, amr, acr } = claims
  return {
    username,
    sid,
    ...(client_id !== undefined && { client_id }),
    ...(auth_time !== undefined && { auth_time }),
    ...(amr !== undefined && { amr }),
    ...(acr !== undefined && { acr })
  }
}
