import type { FastifyInstance } from 'fastify'
import { jwks } from './jwks.ts'

export async function wellKnown(app: FastifyInstance): Promise<void> {
  await app.register(jwks)
}
