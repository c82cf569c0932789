import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { userOf } from '../../plugins/access.ts'
import { originOf } from '../origin.ts'
import { ok, ref, userResponse, UserResponse } from '../schemas.ts'
import { UpdateUser } from './schemas.ts'

export const me: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/me',
    config: { access: 'user', problems: ['unavailable'] },
    schema: {
      operationId: 'getMe',
      summary: 'Who is calling',
      tags: ['authentication'],
      response: { 200: ok(UserResponse, 'The user, as the database has it now') }
    },
    async handler(request) {
      return userResponse(await app.users.current(userOf(request)))
    }
  })

  app.route({
    method: 'PATCH',
    url: '/me',
    config: { access: 'user', problems: ['email_taken', 'cross_origin_refused', 'unavailable'] },
    schema: {
      operationId: 'updateMe',
      summary: 'Change your profile',
      tags: ['authentication'],
      body: ref(UpdateUser),
      response: { 200: ok(UserResponse, 'The user after the change') }
    },
    async handler(request) {
      return userResponse(await app.users.updateProfile(userOf(request), request.body, originOf(request)))
    }
  })
}
