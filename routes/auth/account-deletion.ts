import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireUser } from '../../plugins/access.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { noContent, ref } from '../schemas.ts'
import { DeleteUser } from './schemas.ts'

export const accountDeletion: FastifyPluginAsyncTypebox = async (app) => {
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
      description: 'Sessions and tokens end at once; audit events are anonymized.',
      tags: ['authentication'],
      body: ref(DeleteUser),
      response: { 204: noContent('The account was deleted') }
    },
    async handler(request, reply) {
      await app.operations.deleteAccount(requireUser(request), request.body.password, readOrigin(request))
      return reply.clearSessionCookies().code(204).send(null)
    }
  })
}
