import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requirePrincipal } from '../../plugins/access.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { noContent, ok, SessionList } from '../schemas.ts'
import { UserParams } from './schemas.ts'
import { viewSession } from '../views.ts'

export const userSessions: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/users/:id/sessions',
    config: { scope: 'users:read', problems: ['not_found', 'unavailable'] },
    schema: {
      operationId: 'listUserSessions',
      summary: 'List the sessions of a user',
      tags: ['administration'],
      params: UserParams,
      response: { 200: ok(SessionList, 'The sessions, most recently used first') }
    },
    async handler(request) {
      const items = await app.operations.listUserSessions(request.params.id)
      return { items: items.map((session) => viewSession(session, requirePrincipal(request))) }
    }
  })

  app.route({
    method: 'DELETE',
    url: '/users/:id/sessions',
    config: { scope: 'sessions:revoke', problems: ['not_found', 'cross_origin_refused', 'unavailable'] },
    schema: {
      operationId: 'endUserSessions',
      summary: 'End all sessions of a user',
      tags: ['administration'],
      params: UserParams,
      response: { 204: noContent('Every session of the user has ended') }
    },
    async handler(request, reply) {
      await app.operations.endUserSessions(request.params.id, readOrigin(request))
      return reply.code(204).send(null)
    }
  })
}
