import type { FastifyInstance } from 'fastify'
import { clients } from './clients/index.ts'

export async function admin(app: FastifyInstance): Promise<void> {
  await app.register(clients, { prefix: '/clients' })
}
