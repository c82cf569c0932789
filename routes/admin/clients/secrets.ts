import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { readOrigin } from '../../../plugins/http/origin.ts'
import { noContent, ok } from '../../schemas.ts'
import { clientParams, CreatedClientSecret } from './schemas.ts'
import { viewSecret } from '../../views.ts'

export const secrets: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/:id/secrets',
    config: { scope: 'clients', fresh: true, problems: ['not_found', 'too_many_secrets'] },
    schema: {
      operationId: 'createServiceClientSecret',
      summary: 'Add a second secret',
      description: 'Both are valid until one of them is deleted, so that a secret can be rotated without an outage.',
      params: clientParams,
      response: { 201: ok(CreatedClientSecret, 'The secret was created. Keep it: it is not shown again') }
    },
    async handler(request, reply) {
      const { clientSecret, ...secret } = await app.operations.addClientSecret(
        request.params.id.toLowerCase(),
        readOrigin(request)
      )
      return reply.code(201).send({ ...viewSecret(secret), client_secret: clientSecret })
    }
  })

  app.route({
    method: 'DELETE',
    url: '/:id/secrets/:secret_id',
    config: { scope: 'clients', fresh: true, problems: ['not_found'] },
    schema: {
      operationId: 'endServiceClientSecret',
      summary: 'Delete a secret',
      params: Type.Object({
        ...clientParams.properties,
        secret_id: Type.String({ format: 'uuid', description: 'The id of a secret of the client' })
      }),
      response: { 204: noContent('The secret was deleted; access tokens issued with it are refused') }
    },
    async handler(request, reply) {
      const { id, secret_id: secretId } = request.params
      await app.operations.endClientSecret(id.toLowerCase(), secretId.toLowerCase(), readOrigin(request))
      return reply.code(204).send(null)
    }
  })
}
