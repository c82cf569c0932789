import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireUser } from '../../plugins/access.ts'
import { listWeaknesses } from '../../src/passwords/policy.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { ok, ref, Token } from '../schemas.ts'
import { ChangePassword } from './schemas.ts'
import { handOver, readTransport } from './tokens.ts'
import { toDomain } from '../bodies.ts'

export const password: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/password',
    config: {
      access: 'user',
      limit: 'password',
      problems: ['invalid_credentials', 'overloaded'],
      refuses: listWeaknesses('new_password')
    },
    schema: {
      operationId: 'changePassword',
      summary: 'Change your password',
      description: 'Every session ends, including this one, and a new one starts: use the tokens of the answer.',
      body: ref(ChangePassword),
      response: { 200: ok(Token, 'The password is changed: the tokens of a new session') }
    },
    async handler(request, reply) {
      const origin = readOrigin(request)
      const tokens = await app.operations.changePassword(
        requireUser(request),
        toDomain(request.body),
        origin,
        request.device()
      )
      return handOver(reply, tokens, readTransport(request))
    }
  })
}
