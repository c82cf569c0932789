import type { FastifyInstance } from 'fastify'
import { mail } from './mail.ts'
import { requireLoopback } from './require-loopback.ts'

/** For a developer on this machine: nothing of it is there in production. */
export async function dev(app: FastifyInstance): Promise<void> {
  if (app.mailbox === undefined) return
  app.addHook('onRequest', requireLoopback)
  await app.register(mail, { mailbox: app.mailbox })
}
