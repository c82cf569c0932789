import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import type { TSchema } from '@sinclair/typebox'
import { type Access, guard } from '../plugins/access.ts'
import { admin } from './admin/index.ts'
import * as clientSchemas from './admin/clients/schemas.ts'
import * as adminSchemas from './admin/schemas.ts'
import { auth } from './auth/index.ts'
import * as authSchemas from './auth/schemas.ts'
import { authz } from './authz/index.ts'
import { dev } from './dev/index.ts'
import { documentation } from './documentation/index.ts'
import { health } from './health/index.ts'
import { oauth } from './oauth/index.ts'
import * as oauthSchemas from './oauth/schemas.ts'
import { pages } from './pages/index.ts'
import * as schemas from './schemas.ts'
import { wellKnown } from './well-known/index.ts'

/** Who may enter which part of the house, and its tag in the OpenAPI document. `by route`: each route says so itself. */
const policy: [prefix: string, access: Access | 'by route', tag: string, area: FastifyPluginAsync][] = [
  ['/auth', 'by route', 'authentication', auth],
  ['/authz', 'by route', 'access', authz],
  ['/admin', { role: 'admin' }, 'administration', admin],
  ['/oauth', 'service', 'services', oauth],
  ['/.well-known', 'public', 'keys', wellKnown],
  ['/health', 'public', 'operation', health],
  ['/dev', 'public', '', dev],
  ['', 'public', '', documentation],
  ['', 'public', '', pages]
]

async function routes(app: FastifyInstance): Promise<void> {
  for (const schema of [authSchemas, schemas, clientSchemas, oauthSchemas, adminSchemas].flatMap(namedIn)) {
    app.addSchema(authSchemas.withLeastLength(schema, app.config.passwordMinLength))
  }
  for (const [prefix, access, tag, area] of policy) {
    await app.register(
      async (scope) => {
        if (access !== 'by route') guard(scope, access)
        scope.addHook('onRoute', (route) => {
          route.schema = { tags: [tag], ...route.schema }
        })
        await scope.register(area)
      },
      { prefix }
    )
  }
  app.refuseOtherMethods()
}

/** The schemas of a module that have a name of their own, for others to refer to. */
const namedIn = (module: Record<string, unknown>): TSchema[] =>
  Object.values(module).filter((exported): exported is TSchema => Object.hasOwn(exported as object, '$id'))

export default fp(routes, { name: 'routes', dependencies: ['access', 'mail', 'methods', 'operations', 'openapi'] })
