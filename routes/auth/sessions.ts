import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { requireUser } from '../../plugins/access.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { noContent, ok, SessionList } from '../schemas.ts'
import { viewSession } from '../views.ts'

export const sessions: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/sessions',
    config: { access: 'user' },
    schema: {
      operationId: 'listSessions',
      summary: 'List your sessions',
      response: { 200: ok(SessionList, 'The sessions, most recently used first') }
    },
    async handler(request) {
      const principal = requireUser(request)
      const items = await app.operations.listSessions(principal)
      return { items: items.map((session) => viewSession(session, principal)) }
    }
  })

  app.route({
    method: 'DELETE',
    url: '/sessions',
    config: { access: 'user' },
    schema: {
      operationId: 'endOtherSessions',
      summary: 'End all your other sessions',
      response: { 204: noContent('Every session but this one has ended') }
    },
    async handler(request, reply) {
      await app.operations.endOtherSessions(requireUser(request), readOrigin(request))
      return reply.code(204).send(null)
    }
  })

  app.route({
    method: 'DELETE',
    url: '/sessions/:id',
    config: { access: 'user', problems: ['not_found', 'validation_failed'] },
    schema: {
      operationId: 'endSession',
      summary: 'End one of your sessions',
      params: Type.Object({ id: Type.String({ format: 'uuid', description: 'The id of a session' }) }),
      response: { 204: noContent('The session has ended') }
    },
    async handler(request, reply) {
      await app.operations.endSession(requireUser(request), request.params.id.toLowerCase(), readOrigin(request))
      return reply.code(204).send(null)
    }
  })
}
