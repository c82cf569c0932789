import type { FastifyInstance } from 'fastify'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { me } from './me.ts'
import { registration } from './registration.ts'

export async function auth(app: FastifyInstance): Promise<void> {
  await app.register(registration)
  await app.register(login)
  await app.register(logout)
  await app.register(me)
}
