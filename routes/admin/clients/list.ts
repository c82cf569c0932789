import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { foreignCursor } from '../../../src/database/pagination.ts'
import { ok, strict } from '../../schemas.ts'
import { Cursor, Limit } from '../schemas.ts'
import { ServiceClientList } from './schemas.ts'
import { viewClient } from '../../views.ts'

export const list: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '',
    config: { scope: 'clients', problems: ['unavailable'], refuses: [foreignCursor] },
    schema: {
      operationId: 'listServiceClients',
      summary: 'List service clients',
      tags: ['administration'],
      querystring: Type.Object(
        {
          limit: Limit,
          cursor: Type.Optional(Cursor)
        },
        strict
      ),
      response: { 200: ok(ServiceClientList, 'A page of clients, oldest first') }
    },
    async handler(request) {
      const { items, nextCursor } = await app.operations.listClients(request.query)
      return { items: items.map(viewClient), next_cursor: nextCursor }
    }
  })
}
