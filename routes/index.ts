import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { type Access, guard } from '../plugins/access.ts'
import { admin } from './admin/index.ts'
import { addClientSchemas } from './admin/clients/schemas.ts'
import { addAdminSchemas } from './admin/schemas.ts'
import { auth } from './auth/index.ts'
import { addAuthSchemas } from './auth/schemas.ts'
import { authz } from './authz/index.ts'
import { documentation } from './documentation/index.ts'
import { health } from './health/index.ts'
import { oauth } from './oauth/index.ts'
import { addOAuthSchemas } from './oauth/schemas.ts'
import { pages } from './pages/index.ts'
import { addSchemas } from './schemas.ts'
import { wellKnown } from './well-known/index.ts'

/** Who may enter which part of the house. `by route`: each route of the area says so itself. */
const policy: [prefix: string, access: Access | 'by route', area: FastifyPluginAsync][] = [
  ['/auth', 'by route', auth],
  ['/authz', 'by route', authz],
  ['/admin', { role: 'admin' }, admin],
  ['/oauth', 'service', oauth],
  ['/.well-known', 'public', wellKnown],
  ['/health', 'public', health],
  ['', 'public', documentation],
  ['', 'public', pages]
]

async function routes(app: FastifyInstance): Promise<void> {
  addAuthSchemas(app)
  addSchemas(app)
  addClientSchemas(app)
  addOAuthSchemas(app)
  addAdminSchemas(app)
  for (const [prefix, access, area] of policy) {
    await app.register(
      async (scope) => {
        if (access !== 'by route') guard(scope, access)
        await scope.register(area)
      },
      { prefix }
    )
  }
  app.refuseOtherMethods()
}

export default fp(routes, { name: 'routes', dependencies: ['access', 'methods', 'operations', 'openapi'] })
