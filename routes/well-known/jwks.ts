import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { sendCacheable } from './cacheable.ts'

const JsonWebKey = Type.Object(
  {
    kty: Type.String(),
    kid: Type.String({ description: 'RFC 7638 thumbprint' }),
    alg: Type.String(),
    use: Type.Literal('sig'),
    crv: Type.Optional(Type.String()),
    x: Type.Optional(Type.String()),
    y: Type.Optional(Type.String()),
    n: Type.Optional(Type.String()),
    e: Type.Optional(Type.String())
  },
  { $id: 'JsonWebKey' }
)

const JsonWebKeySet = Type.Object({ keys: Type.Array(Type.Ref('JsonWebKey#')) }, { $id: 'JsonWebKeySet' })

export const jwks: FastifyPluginAsyncTypebox = async (app) => {
  app.addSchema(JsonWebKey)
  app.addSchema(JsonWebKeySet)
  app.route({
    method: 'GET',
    url: '/jwks.json',
    config: { access: 'public' },
    schema: {
      operationId: 'getJwks',
      summary: 'Get the public keys that verify access tokens',
      description: 'RFC 7517. Fetch them again for an unknown `kid`, and cache them for `max-age` seconds.',
      tags: ['keys'],
      response: {
        200: { description: 'The keys', $ref: 'JsonWebKeySet#' },
        304: { type: 'null', description: 'Not modified' }
      }
    },
    handler: (request, reply) => sendCacheable(request, reply, app.keyring.current().jwks)
  })
}
