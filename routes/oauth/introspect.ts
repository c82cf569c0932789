import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireClient } from '../../plugins/access.ts'
import type { ClientScope } from '../../src/scopes.ts'
import { OAuthError } from '../../src/oauth-errors.ts'
import { toScope } from '../../src/tokens/granted-scope.ts'
import type { Principal } from '../../src/tokens/claims.ts'
import { ok, ref } from '../schemas.ts'
import { formOnly, Introspection, IntrospectionRequest, OAuthErrorBody, refusals } from './schemas.ts'

export const introspect: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/introspect',
    config: { takesForm: true, isRead: true },
    schema: {
      operationId: 'introspectToken',
      summary: 'Introspect an access token',
      description: 'RFC 7662, for access tokens. What was revoked, expired, or never was ours is `{"active":false}`.',
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

/** What the schema names of it is sent, and nothing else. The secret of a service stands where a user has a session. */
function describe(principal: Principal) {
  const { claims, roles } = principal
  const { sid, scope, ...told } = claims
  const scopes = principal.kind === 'client' ? principal.scopes : new Set<ClientScope>()
  const session = principal.kind === 'user' ? { sid } : {}
  return { active: true, ...told, ...session, ...toScope({ roles, scopes }), token_type: 'Bearer' as const }
}
