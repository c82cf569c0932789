import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

// Swagger UI needs its own scripts and styles, and nothing from elsewhere.
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The OpenAPI document, and a page on which to read and try it. */
export async function documentation(app: FastifyInstance): Promise<void> {
  if (!app.config.docs) return
  app.route({
    method: 'GET',
    url: '/openapi.json',
    schema: { hide: true },
    handler: (_request, reply) => reply.header('cache-control', 'public, max-age=300').send(app.swagger())
  })
  await app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: pagePolicy,
    uiConfig: { tryItOutEnabled: true, withCredentials: true, defaultModelsExpandDepth: 0, validatorUrl: null },
    theme: { title: 'Gatehouse' },
    indexPrefix: ''
  })
}
