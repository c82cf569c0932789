import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { createReadiness } from '../../src/database/readiness.ts'
import { Problem } from '../../src/errors.ts'
import { ok } from '../schemas.ts'

const Health = Type.Object({ status: Type.String() }, { $id: 'Health' })

export const health: FastifyPluginAsyncTypebox = async (app) => {
  app.addSchema(Health)
  // The document is made without a database.
  const isReady = createReadiness(() => app.database.db)
  app.route({
    method: 'GET',
    url: '/live',
    schema: {
      operationId: 'getLiveness',
      summary: 'Check whether the process answers',
      response: { 200: ok(Health, 'The process answers') }
    },
    handler: () => ({ status: 'ok' })
  })

  app.route({
    method: 'GET',
    url: '/ready',
    config: { problems: ['unavailable'] },
    schema: {
      operationId: 'getReadiness',
      summary: 'Check whether the instance takes requests',
      description: 'Not ready while the database is unreachable, migrations are pending, or the service is stopping.',
      response: { 200: ok(Health, 'The instance takes requests') }
    },
    async handler() {
      if (app.lifecycle.stopping) throw new Problem('unavailable', { detail: 'The service is stopping' })
      if (!(await isReady())) throw new Problem('unavailable')
      return { status: 'ok' }
    }
  })
}
