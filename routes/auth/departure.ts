import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { requireUser } from '../../plugins/access.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { UserExport, noContent, ok, ref } from '../schemas.ts'
import { DeleteUser } from './schemas.ts'
import { viewOwnEvent, viewSession, viewUser } from '../views.ts'

/** Sent as it is read, past the serializer. */
const exported = Type.Unsafe<Readable>(ok(UserExport, 'The profile, the sessions, and what happened, the newest first'))

export const departure: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/me/export',
    config: { access: 'user', limit: 'export', problems: ['unavailable'] },
    schema: {
      operationId: 'exportMe',
      summary: 'All that is kept of the caller',
      tags: ['authentication'],
      description: 'Five times an hour, and one at a time. An answer without its end has failed midway: ask again.',
      response: { 200: exported }
    },
    async handler(request, reply) {
      const principal = requireUser(request)
      const document = await app.operations.exportAccount(principal, {
        user: viewUser,
        event: viewOwnEvent,
        session: (session) => viewSession(session, principal)
      })
      document.once('error', (error) => {
        request.log.error({ err: error }, 'an export failed midway')
      })
      return reply
        .type('application/json; charset=utf-8')
        .header('content-disposition', 'attachment; filename="gatehouse.json"')
        .send(document)
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
      await app.operations.deleteAccount(requireUser(request), request.body.password, readOrigin(request))
      return reply.clearSessionCookies().code(204).send(null)
    }
  })
}
