import type { FastifyInstance } from 'fastify'
import { authorizationServer } from './authorization-server.ts'
import { jwks } from './jwks.ts'

export async function wellKnown(app: FastifyInstance): Promise<void> {
  await app.register(authorizationServer)
  await app.register(jwks)
}
