import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { roleClaims } from '../../src/roles.ts'
import { foreignCursor } from '../../src/database/pagination.ts'
import { type UserSort, userSorts } from '../../src/repositories/user-list.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { ok, ref, strict, Text } from '../schemas.ts'
import { AdminUserList, AdminUserResponse, InviteUser, paging, RoleName } from './schemas.ts'
import { toDomain } from '../bodies.ts'
import { viewPage, viewUserForAdmins } from '../views.ts'

export const users: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/users',
    config: { scope: 'users:read', refuses: [foreignCursor] },
    schema: {
      operationId: 'listUsers',
      summary: 'List users',
      description:
        'A page may hold fewer than `limit` users where few of very many match: on the last page `next_cursor` is null.',
      querystring: Type.Object(
        {
          ...paging,
          q: Type.Optional(
            Text({ minLength: 1, maxLength: 254, description: 'How the username or the e-mail address begins' })
          ),
          role: Type.Optional(RoleName),
          status: Type.Optional(Type.Unsafe<'enabled' | 'disabled'>({ type: 'string', enum: ['enabled', 'disabled'] })),
          sort: Type.Unsafe<UserSort>({ type: 'string', enum: [...userSorts], default: 'created_at' })
        },
        strict
      ),
      response: { 200: ok(AdminUserList, 'A page of users') }
    },
    async handler(request) {
      return viewPage(await app.operations.listUsers(request.query), viewUserForAdmins)
    }
  })

  app.route({
    method: 'POST',
    url: '/users',
    config: {
      scope: 'users:write',
      fresh: [...roleClaims],
      problems: ['username_taken', 'email_taken', 'rate_limited']
    },
    schema: {
      operationId: 'inviteUser',
      summary: 'Invite a user',
      description: 'Creates the user without a password, and mails a link to set one.',
      body: ref(InviteUser),
      response: { 201: ok(AdminUserResponse, 'The user, who cannot log in until a password is set') }
    },
    async handler(request, reply) {
      const invited = await app.operations.inviteUser(toDomain(request.body), readOrigin(request))
      return reply.code(201).send(viewUserForAdmins(invited))
    }
  })
}
