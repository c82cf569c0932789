import type { FastifyRequest } from 'fastify'
import type { Origin } from '../../src/origin.ts'
import { negotiateLanguage } from '../../src/language.ts'

/** Where a request came from. The address is the socket's, unless TRUST_PROXY names the peer. */
export const readOrigin = (request: FastifyRequest): Origin => ({
  ip: request.ip,
  userAgent: request.headers['user-agent'],
  requestId: request.id,
  isLimited: request.server.config.rateLimit,
  language: negotiateLanguage(request.headers['accept-language']),
  ...(request.principal?.kind === 'user' && { actorId: request.principal.userId }),
  ...(request.principal?.kind === 'client' && {
    actorClientId: request.principal.clientId,
    ...(!request.principal.roles.has('admin') && { scopes: request.principal.scopes })
  }),
  ...(request.principal !== null && { actor: request.principal })
})
