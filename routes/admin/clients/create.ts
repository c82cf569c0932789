import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { describeClient } from '../../../src/clients/description.ts'
import { originOf } from '../../origin.ts'
import { ok, ref } from '../../schemas.ts'
import { CreateServiceClient, CreatedServiceClient } from './schemas.ts'

export const create: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '',
    config: { fresh: true, problems: ['cross_origin_refused', 'unavailable'] },
    schema: {
      operationId: 'createServiceClient',
      summary: 'Create a service client',
      description: 'It comes with its first secret.',
      tags: ['administration'],
      body: ref(CreateServiceClient),
      response: { 201: ok(CreatedServiceClient, 'The client exists now. Keep its secret: it is not shown again') }
    },
    async handler(request, reply) {
      const { clientSecret, ...client } = await app.clients.create(request.body, originOf(request))
      return reply.code(201).send({ ...describeClient(client), client_secret: clientSecret })
    }
  })
}
