import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { requireUser } from '../../plugins/access.ts'
import { ok, UserExport } from '../schemas.ts'
import { viewOwnEvent, viewSession, viewUser } from '../views.ts'

/** Sent as it is read, past the serializer. */
const exported = Type.Unsafe<Readable>(ok(UserExport, 'The profile, the sessions, and the audit events, newest first'))

export const dataExport: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/me/export',
    config: { access: 'user', limit: 'export' },
    schema: {
      operationId: 'exportMe',
      summary: 'Export your data',
      description:
        'At most five times an hour, one export at a time. A truncated answer is a failed export: try again.',
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
}
