import type { FastifyInstance } from 'fastify'
import { dataExport } from './data-export.ts'
import { email } from './email.ts'
import { forgottenPassword } from './forgotten-password.ts'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { me } from './me.ts'
import { password } from './password.ts'
import { reauthenticate } from './reauthenticate.ts'
import { refresh } from './refresh.ts'
import { registration } from './registration.ts'
import { sessions } from './sessions.ts'
import { unlock } from './unlock.ts'
import { username } from './username.ts'

export async function auth(app: FastifyInstance): Promise<void> {
  await app.register(registration)
  await app.register(login)
  await app.register(refresh)
  await app.register(logout)
  await app.register(reauthenticate)
  await app.register(me)
  await app.register(username)
  await app.register(dataExport)
  await app.register(password)
  await app.register(forgottenPassword)
  await app.register(unlock)
  await app.register(email)
  await app.register(sessions)
}
