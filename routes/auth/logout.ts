import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { bearerToken } from '../../plugins/access.ts'
import { ignoreBodies } from '../../plugins/validation.ts'
import { originOf } from '../origin.ts'
import { Message, ok } from '../schemas.ts'

export const logout: FastifyPluginAsyncTypebox = async (app) => {
  ignoreBodies(app)
  app.route({
    method: 'POST',
    url: '/logout',
    config: { access: 'public', ignoresBody: true, problems: ['cross_origin_refused', 'unavailable'] },
    schema: {
      operationId: 'logout',
      summary: 'End the session',
      description: 'Answers the same whether there was a session or not.',
      tags: ['authentication'],
      response: { 200: ok(Message, 'There is no session now') }
    },
    async handler(request, reply) {
      const bearer = bearerToken(request)
      if (bearer === undefined) request.refuseCrossOrigin()
      const principal = await app.identify(request, bearer ?? request.accessCookie() ?? '')
      const ofToken = principal?.kind === 'user' ? principal.sessionId : undefined
      const sessionId = ofToken ?? app.sessions.sessionOf(request.refreshCookie() ?? '')
      if (sessionId !== undefined) await app.sessions.logOut(sessionId, originOf(request))
      return reply.clearSessionCookies().send({ message: 'Logged out successfully' })
    }
  })
}
