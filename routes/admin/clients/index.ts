import type { FastifyInstance } from 'fastify'
import { client } from './client.ts'
import { create } from './create.ts'
import { list } from './list.ts'
import { secrets } from './secrets.ts'

/** The services that call in their own name. */
export async function clients(app: FastifyInstance): Promise<void> {
  await app.register(list)
  await app.register(create)
  await app.register(client)
  await app.register(secrets)
}
