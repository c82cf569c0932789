import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireUser } from '../../plugins/access.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { ok, ref, UserResponse } from '../schemas.ts'
import { UpdateUser } from './schemas.ts'
import { toDomain } from '../bodies.ts'
import { viewUser } from '../views.ts'

export const me: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/me',
    config: { access: 'user', problems: ['unavailable'] },
    schema: {
      operationId: 'getMe',
      summary: 'Get your profile',
      tags: ['authentication'],
      response: { 200: ok(UserResponse, 'The user, as stored now') }
    },
    async handler(request) {
      return viewUser(await app.operations.currentUser(requireUser(request)))
    }
  })

  app.route({
    method: 'PATCH',
    url: '/me',
    config: {
      access: 'user',
      fresh: ['email'],
      limit: 'profile',
      problems: ['cross_origin_refused', 'unavailable']
    },
    schema: {
      operationId: 'updateMe',
      summary: 'Change your profile',
      description:
        'Another `email` needs fresh authentication. It waits in `pending_email` until the link that is mailed to it is ' +
        'followed; the present address stays good until then, and gets a link that undoes the change. The answer is the ' +
        'same whether the address is taken or not. To ask for the present address drops the one that waits.',
      tags: ['authentication'],
      body: ref(UpdateUser),
      response: { 200: ok(UserResponse, 'The user after the change') }
    },
    async handler(request) {
      return viewUser(
        await app.operations.updateProfile(requireUser(request), toDomain(request.body), readOrigin(request))
      )
    }
  })
}
