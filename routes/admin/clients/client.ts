import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { readOrigin } from '../../../plugins/http/origin.ts'
import { noContent, ok, ref } from '../../schemas.ts'
import { clientParams, ServiceClient, UpdateServiceClient } from './schemas.ts'
import { toDomain } from '../../bodies.ts'
import { viewClient } from '../../views.ts'

export const client: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/:id',
    config: { scope: 'clients', problems: ['not_found'] },
    schema: {
      operationId: 'getServiceClient',
      summary: 'Get a service client',
      params: clientParams,
      response: { 200: ok(ServiceClient, 'The client') }
    },
    async handler(request) {
      return viewClient(await app.operations.getClient(request.params.id.toLowerCase()))
    }
  })

  app.route({
    method: 'PATCH',
    url: '/:id',
    config: { scope: 'clients', fresh: true, problems: ['not_found'] },
    schema: {
      operationId: 'updateServiceClient',
      summary: 'Change a service client',
      description: 'When its roles change, or it is disabled, its access tokens are refused at once.',
      params: clientParams,
      body: ref(UpdateServiceClient),
      response: { 200: ok(ServiceClient, 'The client after the change') }
    },
    async handler(request) {
      const changed = await app.operations.updateClient(
        request.params.id.toLowerCase(),
        toDomain(request.body),
        readOrigin(request)
      )
      return viewClient(changed)
    }
  })

  app.route({
    method: 'DELETE',
    url: '/:id',
    config: { scope: 'clients', fresh: true, problems: ['not_found'] },
    schema: {
      operationId: 'deleteServiceClient',
      summary: 'Delete a service client',
      params: clientParams,
      response: { 204: noContent('The client was deleted; its access tokens are refused') }
    },
    async handler(request, reply) {
      await app.operations.deleteClient(request.params.id.toLowerCase(), readOrigin(request))
      return reply.code(204).send(null)
    }
  })
}
