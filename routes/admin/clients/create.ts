import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { readOrigin } from '../../../plugins/http/origin.ts'
import { ok, ref } from '../../schemas.ts'
import { CreateServiceClient, CreatedServiceClient } from './schemas.ts'
import { toDomain } from '../../bodies.ts'
import { viewClient } from '../../views.ts'

export const create: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '',
    config: { scope: 'clients', fresh: true, problems: ['cross_origin_refused', 'unavailable'] },
    schema: {
      operationId: 'createServiceClient',
      summary: 'Create a service client',
      description: 'The answer contains its first secret.',
      tags: ['administration'],
      body: ref(CreateServiceClient),
      response: { 201: ok(CreatedServiceClient, 'The client was created. Keep its secret: it is not shown again') }
    },
    async handler(request, reply) {
      const { clientSecret, ...client } = await app.operations.createClient(toDomain(request.body), readOrigin(request))
      return reply.code(201).send({ ...viewClient(client), client_secret: clientSecret })
    }
  })
}
