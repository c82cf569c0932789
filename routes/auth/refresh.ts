import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Problem } from '../../src/errors.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { ok, ref, Token } from '../schemas.ts'
import { RefreshToken } from './schemas.ts'
import { handOver } from './tokens.ts'

export const refresh: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'POST',
    url: '/refresh',
    config: {
      access: 'public',
      limit: 'refresh',
      problems: ['refresh_token_invalid', 'refresh_token_reused', 'cross_origin_refused']
    },
    schema: {
      operationId: 'refresh',
      summary: 'Exchange the refresh token for new tokens',
      description:
        'With the token in the body, or in its cookie and no body. Used again within the reuse interval it gives the ' +
        'same successor, so that racing tabs and lost answers do no harm; an older token ends the session.',
      body: ref(RefreshToken),
      response: { 200: ok(Token, 'New tokens; the refresh token that was presented is used up') }
    },
    async handler(request, reply) {
      const inBody = request.body?.refresh_token
      if (inBody !== undefined)
        return handOver(reply, await app.operations.refresh(inBody, readOrigin(request)), 'bearer')
      request.refuseCrossOrigin()
      try {
        return handOver(
          reply,
          await app.operations.refresh(request.refreshCookie() ?? '', readOrigin(request)),
          'cookie'
        )
      } catch (error) {
        if (error instanceof Problem && error.status === 401) reply.clearSessionCookies()
        throw error
      }
    }
  })
}
