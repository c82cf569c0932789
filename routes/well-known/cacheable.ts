import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Answers what everyone may keep for JWKS_MAX_AGE_SECONDS, with an ETag to ask by whether it is still so. */
export function sendCacheable(request: FastifyRequest, reply: FastifyReply, body: object): FastifyReply {
  const etag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url')}"`
  const maxAge = request.server.config.jwksMaxAge
  reply.header('cache-control', `public, max-age=${String(maxAge)}`).header('etag', etag)
  return request.headers['if-none-match'] === etag ? reply.code(304).send() : reply.send(body)
}
