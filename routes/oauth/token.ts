import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireClient } from '../../plugins/access.ts'
import { OAuthError } from '../../src/oauth-errors.ts'
import { grantedBy, toScope } from '../../src/tokens/granted-scope.ts'
import { ok, ref } from '../schemas.ts'
import { ClientToken, ClientTokenRequest, formOnly, refusals, refusedFor } from './schemas.ts'

export const token: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/token',
    config: { takesForm: true, isRead: true },
    schema: {
      operationId: 'issueClientToken',
      summary: 'Issue an access token to a service',
      description:
        'RFC 6749 §4.4, the client credentials grant. There is no refresh token: request another access token.',
      consumes: formOnly,
      body: ref(ClientTokenRequest),
      response: {
        200: ok(ClientToken, 'The token'),
        ...refusals,
        400: refusedFor('invalid_request', 'unsupported_grant_type', 'invalid_scope')
      }
    },
    async handler(request, reply) {
      const client = requireClient(request)
      if (request.body.grant_type !== 'client_credentials') throw new OAuthError('unsupported_grant_type')
      const granted = grantedBy(request.body.scope, client)
      const { clientId: id, version, sessionId: secretId } = client
      const access = app.tokens.access.issueToClient({ id, version }, secretId, granted)
      reply.header('pragma', 'no-cache')
      return {
        access_token: access.token,
        token_type: 'Bearer' as const,
        expires_in: access.expiresIn,
        ...toScope(granted)
      }
    }
  })
}
