import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { requireUser } from '../../plugins/access.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { ok, ref, Token } from '../schemas.ts'
import { Reauthenticate } from './schemas.ts'
import { handOver, readTransport } from './tokens.ts'

export const reauthenticate: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/reauthenticate',
    config: { access: 'user', limit: 'password', problems: ['invalid_credentials', 'overloaded'] },
    schema: {
      operationId: 'reauthenticate',
      summary: 'Authenticate again',
      description:
        'Needed where the answer is `reauthentication_required`: the new access token has a recent `auth_time`.',
      body: ref(Reauthenticate),
      response: { 200: ok(Token, 'New tokens of the same session') }
    },
    async handler(request, reply) {
      const tokens = await app.operations.reauthenticate(
        requireUser(request),
        request.body.password,
        readOrigin(request)
      )
      return handOver(reply, tokens, readTransport(request))
    }
  })
}
