import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { roleClaims } from '../../src/roles.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { noContent, ok, ref } from '../schemas.ts'
import { AdminUpdateUser, AdminUserResponse, UserParams } from './schemas.ts'
import { toDomain } from '../bodies.ts'
import { viewUserForAdmins } from '../views.ts'

export const user: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/users/:id',
    config: { scope: 'users:read', problems: ['not_found'] },
    schema: {
      operationId: 'getUser',
      summary: 'Get a user',
      params: UserParams,
      response: { 200: ok(AdminUserResponse, 'The user') }
    },
    async handler(request) {
      return viewUserForAdmins(await app.operations.getUser(request.params.id))
    }
  })

  app.route({
    method: 'PATCH',
    url: '/users/:id',
    config: {
      scope: 'users:write',
      fresh: ['email', ...roleClaims, 'is_disabled'],
      problems: ['not_found', 'email_taken', 'last_admin']
    },
    schema: {
      operationId: 'updateUser',
      summary: 'Change a user, their roles, or whether they may log in',
      description:
        'Access tokens from before a change of roles are refused at once, and a refresh brings the new roles. ' +
        'Disabling ends every session. A new address is unverified. Setting a value that is already set changes nothing.',
      params: UserParams,
      body: ref(AdminUpdateUser),
      response: { 200: ok(AdminUserResponse, 'The user after the change') }
    },
    async handler(request) {
      return viewUserForAdmins(
        await app.operations.updateUser({ id: request.params.id }, toDomain(request.body), readOrigin(request))
      )
    }
  })

  app.route({
    method: 'DELETE',
    url: '/users/:id',
    config: { scope: 'users:write', fresh: true, problems: ['not_found', 'last_admin'] },
    schema: {
      operationId: 'deleteUser',
      summary: 'Delete a user',
      description: 'Sessions and tokens end at once; audit events are anonymized.',
      params: UserParams,
      response: { 204: noContent('The user was deleted') }
    },
    async handler(request, reply) {
      await app.operations.deleteUser(request.params.id, readOrigin(request))
      return reply.code(204).send(null)
    }
  })
}
