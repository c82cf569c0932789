import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { userOf } from '../../plugins/access.ts'
import { originOf } from '../origin.ts'
import { noContent, ref } from '../schemas.ts'
import { ChangePassword } from './schemas.ts'

export const password: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/password',
    config: {
      access: 'user',
      limit: 'password',
      problems: ['invalid_credentials', 'cross_origin_refused', 'overloaded', 'unavailable']
    },
    schema: {
      operationId: 'changePassword',
      summary: 'Change the own password',
      tags: ['authentication'],
      body: ref(ChangePassword),
      response: { 204: noContent("The password is changed, and the user's other sessions have ended") }
    },
    async handler(request, reply) {
      await app.users.changePassword(userOf(request), request.body, originOf(request))
      return reply.code(204).send(null)
    }
  })
}
