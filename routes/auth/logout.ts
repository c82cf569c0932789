import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { bearerToken } from '../../plugins/access.ts'
import { ignoreBodies } from '../../plugins/validation.ts'
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
      const token = bearer ?? request.cookies[app.accessCookieName] ?? ''
      const principal = await app.identify(request, token)
      if (principal !== undefined) await app.sessions.logOut(principal.sessionId)
      return reply.clearCookies().send({ message: 'Logged out successfully' })
    }
  })
}
