import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { readOrigin } from '../../../plugins/http/origin.ts'
import { foreignCursor } from '../../../src/database/pagination.ts'
import { toDomain } from '../../bodies.ts'
import { ok, ref, strict } from '../../schemas.ts'
import { viewClient, viewPage } from '../../views.ts'
import { paging } from '../schemas.ts'
import { client } from './client.ts'
import { CreateServiceClient, CreatedServiceClient, ServiceClientList } from './schemas.ts'
import { secrets } from './secrets.ts'

/** The services that call in their own name. */
export const clients: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '',
    config: { scope: 'clients', refuses: [foreignCursor] },
    schema: {
      operationId: 'listServiceClients',
      summary: 'List service clients',
      querystring: Type.Object(paging, strict),
      response: { 200: ok(ServiceClientList, 'A page of clients, oldest first') }
    },
    async handler(request) {
      return viewPage(await app.operations.listClients(request.query), viewClient)
    }
  })

  app.route({
    method: 'POST',
    url: '',
    config: { scope: 'clients', fresh: true },
    schema: {
      operationId: 'createServiceClient',
      summary: 'Create a service client',
      description: 'The answer contains its first secret.',
      body: ref(CreateServiceClient),
      response: { 201: ok(CreatedServiceClient, 'The client was created. Keep its secret: it is not shown again') }
    },
    async handler(request, reply) {
      const { clientSecret, ...client } = await app.operations.createClient(toDomain(request.body), readOrigin(request))
      return reply.code(201).send({ ...viewClient(client), client_secret: clientSecret })
    }
  })

  await app.register(client)
  await app.register(secrets)
}
