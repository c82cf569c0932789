import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireClient } from '../../plugins/access.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { ref } from '../schemas.ts'
import { formOnly, refusals, RevocationRequest } from './schemas.ts'

export const revoke: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/revoke',
    config: { takesForm: true },
    schema: {
      operationId: 'revokeToken',
      summary: 'Revoke an access token of the service',
      description: 'RFC 7009. Answers the same whether there was such a token or not.',
      consumes: formOnly,
      body: ref(RevocationRequest),
      response: {
        200: { type: 'null', description: 'The token is revoked, if it belonged to this client' },
        ...refusals
      }
    },
    async handler(request, reply) {
      const principal = await app.identify(request, request.body.token)
      if (principal?.kind === 'client' && principal.clientId === requireClient(request).clientId) {
        await app.operations.revokeClientToken(principal, readOrigin(request))
      }
      return reply.send()
    }
  })
}
