import type { FastifyRequest } from 'fastify'
import type { Client } from '../src/sessions/queries.ts'

/** Where a request came from. The address is the socket's, unless TRUST_PROXY names the peer. */
export const clientOf = (request: FastifyRequest): Client => ({
  ip: request.ip,
  userAgent: request.headers['user-agent']
})
