import type { FastifyInstance } from 'fastify'
import { auditEvents } from './audit-events.ts'
import { clients } from './clients/index.ts'
import { sessions } from './sessions.ts'
import { user } from './user.ts'
import { users } from './users.ts'

export async function admin(app: FastifyInstance): Promise<void> {
  await app.register(users)
  await app.register(user)
  await app.register(sessions)
  await app.register(auditEvents)
  await app.register(clients, { prefix: '/clients' })
}
