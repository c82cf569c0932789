import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireUser } from '../../plugins/access.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { noContent, ok, ref, UserResponse } from '../schemas.ts'
import { DeleteUser, UpdateUser } from './schemas.ts'
import { toDomain } from '../bodies.ts'
import { viewUser } from '../views.ts'

export const me: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/me',
    config: { access: 'user' },
    schema: {
      operationId: 'getMe',
      summary: 'Get your profile',
      response: { 200: ok(UserResponse, 'The user, as stored now') }
    },
    async handler(request) {
      return viewUser(await app.operations.currentUser(requireUser(request)))
    }
  })

  app.route({
    method: 'PATCH',
    url: '/me',
    config: { access: 'user', fresh: ['email'], limit: 'profile' },
    schema: {
      operationId: 'updateMe',
      summary: 'Change your profile',
      description:
        'Another `email` needs fresh authentication. It waits in `pending_email` until the link that is mailed to it is ' +
        'followed; the present address stays good until then, and gets a link that undoes the change. The answer is the ' +
        'same whether the address is taken or not. To ask for the present address drops the one that waits.',
      body: ref(UpdateUser),
      response: { 200: ok(UserResponse, 'The user after the change') }
    },
    async handler(request) {
      return viewUser(
        await app.operations.updateProfile(requireUser(request), toDomain(request.body), readOrigin(request))
      )
    }
  })

  app.route({
    method: 'DELETE',
    url: '/me',
    config: {
      access: 'user',
      fresh: true,
      limit: 'password',
      problems: ['invalid_credentials', 'last_admin', 'overloaded']
    },
    schema: {
      operationId: 'deleteMe',
      summary: 'Delete your account',
      description: 'Sessions and tokens end at once; audit events are anonymized.',
      body: ref(DeleteUser),
      response: { 204: noContent('The account was deleted') }
    },
    async handler(request, reply) {
      await app.operations.deleteAccount(requireUser(request), request.body.password, readOrigin(request))
      return reply.clearSessionCookies().code(204).send(null)
    }
  })
}
