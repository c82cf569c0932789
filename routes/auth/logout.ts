import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { bearerToken } from '../../plugins/access.ts'
import { readBodiesLeniently } from '../../plugins/validation.ts'
import { readOrigin } from '../../plugins/http/origin.ts'
import { Message, ok, ref } from '../schemas.ts'
import { LogoutUser } from './schemas.ts'

export const logout: FastifyPluginAsyncTypebox = async (app) => {
  readBodiesLeniently(app)
  app.route({
    method: 'POST',
    url: '/logout',
    config: {
      access: 'public',
      credential: 'optional',
      ignoresBody: true,
      problems: ['cross_origin_refused', 'unavailable']
    },
    schema: {
      operationId: 'logout',
      summary: 'End the session',
      description:
        'Ends every session that a credential of the request names: the Bearer token, even if it has expired, the ' +
        'refresh token in the body, the cookies. Answers the same whether there was a session or not.',
      body: ref(LogoutUser),
      response: { 200: ok(Message, 'The sessions have ended') }
    },
    // Whatever the body is, the answer is the same.
    validatorCompiler: () => () => true,
    async handler(request, reply) {
      if (bearerToken(request) === undefined) request.refuseCrossOrigin()
      await app.operations.logOut(await namedSessions(app, request), readOrigin(request))
      return reply.clearSessionCookies().send({ message: 'Logged out successfully' })
    }
  })
}

/** The sessions that the authentic credentials of a request name. */
async function namedSessions(app: FastifyInstance, request: FastifyRequest): Promise<Set<string>> {
  const accessTokens = [bearerToken(request), request.accessCookie()]
  const principals = await Promise.all(accessTokens.map((token = '') => app.readAuthenticToken(request, token)))
  const refreshTokens = [refreshTokenIn(request.body), request.refreshCookie()]
  const named = [
    ...principals.map((principal) => (principal?.kind === 'user' ? principal.sessionId : undefined)),
    ...refreshTokens.map((token) => token && app.tokens.refresh.read(token)?.sessionId)
  ]
  return new Set(named.filter((id): id is string => id !== undefined && id !== ''))
}

function refreshTokenIn(body: unknown): string | undefined {
  const { refresh_token: token } = (body ?? {}) as { refresh_token?: unknown }
  return typeof token === 'string' ? token : undefined
}
