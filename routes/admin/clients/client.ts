import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { describeClient } from '../../../src/clients/description.ts'
import { originOf } from '../../origin.ts'
import { noContent, ok, ref } from '../../schemas.ts'
import { clientParams, ServiceClient, UpdateServiceClient } from './schemas.ts'

export const client: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/:id',
    config: { problems: ['not_found', 'unavailable'] },
    schema: {
      operationId: 'getServiceClient',
      summary: 'A service client',
      tags: ['administration'],
      params: clientParams,
      response: { 200: ok(ServiceClient, 'The client') }
    },
    async handler(request) {
      return describeClient(await app.clients.read(request.params.id.toLowerCase()))
    }
  })

  app.route({
    method: 'PATCH',
    url: '/:id',
    config: { fresh: true, problems: ['not_found', 'cross_origin_refused', 'unavailable'] },
    schema: {
      operationId: 'updateServiceClient',
      summary: 'Change a service client',
      description: 'When its roles change, or it is disabled, its access tokens are refused at once.',
      tags: ['administration'],
      params: clientParams,
      body: ref(UpdateServiceClient),
      response: { 200: ok(ServiceClient, 'The client after the change') }
    },
    async handler(request) {
      const changed = await app.clients.update(request.params.id.toLowerCase(), request.body, originOf(request))
      return describeClient(changed)
    }
  })

  app.route({
    method: 'DELETE',
    url: '/:id',
    config: { fresh: true, problems: ['not_found', 'cross_origin_refused', 'unavailable'] },
    schema: {
      operationId: 'deleteServiceClient',
      summary: 'Delete a service client',
      tags: ['administration'],
      params: clientParams,
      response: { 204: noContent('The client is gone, and its access tokens are refused') }
    },
    async handler(request, reply) {
      await app.clients.delete(request.params.id.toLowerCase(), originOf(request))
      return reply.code(204).send(null)
    }
  })
}
