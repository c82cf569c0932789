import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { userOf } from '../../plugins/access.ts'
import { describeEvent } from '../../src/audit/description.ts'
import { originOf } from '../origin.ts'
import { UserExport, noContent, ok, ref, sessionResponse, userResponse } from '../schemas.ts'
import { DeleteUser } from './schemas.ts'

export const departure: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/me/export',
    config: { access: 'user', problems: ['unavailable'] },
    schema: {
      operationId: 'exportMe',
      summary: 'All that is kept of the caller',
      tags: ['authentication'],
      response: { 200: ok(UserExport, 'The profile, the sessions, and what happened, the newest first') }
    },
    async handler(request, reply) {
      const principal = userOf(request)
      const { user, sessions, events, isComplete } = await app.departure.export(principal)
      return reply.header('content-disposition', 'attachment; filename="gatehouse.json"').send({
        user: userResponse(user),
        sessions: sessions.map((session) => sessionResponse(session, principal)),
        audit_events: events.map(describeEvent),
        is_complete: isComplete
      })
    }
  })

  app.route({
    method: 'DELETE',
    url: '/me',
    config: {
      access: 'user',
      fresh: true,
      limit: 'password',
      problems: ['invalid_credentials', 'last_admin', 'cross_origin_refused', 'overloaded', 'unavailable']
    },
    schema: {
      operationId: 'deleteMe',
      summary: 'Delete your account',
      description: 'Sessions and tokens end at once. What the audit keeps names no one.',
      tags: ['authentication'],
      body: ref(DeleteUser),
      response: { 204: noContent('The account is gone') }
    },
    async handler(request, reply) {
      await app.departure.leave(userOf(request), request.body.password, originOf(request))
      return reply.clearSessionCookies().code(204).send(null)
    }
  })
}
