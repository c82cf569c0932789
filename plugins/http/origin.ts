import type { FastifyRequest } from 'fastify'
import type { Origin } from '../../src/origin.ts'
import { negotiateLanguage } from '../../src/language.ts'

/** Where a request came from. The address is the socket's, unless TRUST_PROXY names the peer. */
export function readOrigin({ ip, headers, id, server, principal: actor }: FastifyRequest): Origin {
  const client = actor?.kind === 'client' ? actor : undefined
  return {
    ip,
    userAgent: headers['user-agent'],
    requestId: id,
    isLimited: server.config.rateLimit,
    language: negotiateLanguage(headers['accept-language']),
    actorId: actor?.kind === 'user' ? actor.userId : undefined,
    actorClientId: client?.clientId,
    scopes: client?.roles.has('admin') === false ? client.scopes : undefined,
    actor: actor ?? undefined
  }
}
