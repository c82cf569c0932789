import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { readOrigin } from '../../plugins/http/origin.ts'
import { ok, ref, Token } from '../schemas.ts'
import { LoginUser } from './schemas.ts'
import { handOver } from './tokens.ts'

export const login: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/login',
    config: {
      access: 'public',
      limit: 'login',
      problems: ['invalid_credentials', 'cross_origin_refused', 'overloaded']
    },
    schema: {
      operationId: 'login',
      summary: 'Start a session',
      body: ref(LoginUser),
      response: { 200: ok(Token, 'The session has started; by default its tokens are set as cookies, too') }
    },
    async handler(request, reply) {
      const { transport, ...credentials } = request.body
      if (transport !== 'bearer') request.refuseCrossOrigin()
      const known = { refreshToken: request.refreshCookie(), device: request.device() }
      const tokens = await app.operations.logIn(credentials, readOrigin(request), known)
      return handOver(reply, tokens, transport ?? 'cookie')
    }
  })
}
