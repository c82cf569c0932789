import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireUser } from '../../plugins/access.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { ok, ref, UserResponse } from '../schemas.ts'
import { ChangeUsername } from './schemas.ts'
import { viewUser } from '../views.ts'

export const username: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/username',
    config: { access: 'user', fresh: true, limit: 'username', problems: ['username_taken'] },
    schema: {
      operationId: 'changeUsername',
      summary: 'Change your username',
      description:
        'Needs fresh authentication. The old username becomes available. Access tokens have the new one once they are refreshed.',
      body: ref(ChangeUsername),
      response: { 200: ok(UserResponse, 'The user after the change') }
    },
    async handler(request) {
      return viewUser(
        await app.operations.changeUsername(requireUser(request), request.body.username, readOrigin(request))
      )
    }
  })
}
