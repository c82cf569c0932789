import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { favicon } from './favicon.ts'
import { toOpenapi30 } from './openapi-3.0.ts'

// Swagger UI needs its own scripts and styles, and nothing from elsewhere.
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Only the page says this: in the document, which generators and proxies read, there is no page to try things on.
const invitation = `

**Try it here.** Register, log in, and ask \`GET /authz/reader\` (204) and \`GET /authz/author\` (403, until you are an author).
The login leaves a cookie with your browser, and every later request from this page carries it: there is nothing to copy.
*Authorize* is for a token that you have from elsewhere.

The cookie is \`Secure\`. Chromium and Firefox keep it over https and on localhost; Safari over https alone:
log in with \`"transport": "bearer"\` there, and paste the \`access_token\` under *Authorize*.`

/** The OpenAPI document in two versions, and a page on which to read and try it. */
export async function documentation(app: FastifyInstance): Promise<void> {
  if (!app.config.docs) return
  const documents = { '/openapi.json': () => app.swagger(), '/openapi-3.0.json': () => toOpenapi30(app.swagger()) }
  for (const [url, document] of Object.entries(documents)) {
    let text: string | undefined
    app.route({
      method: 'GET',
      url,
      schema: { hide: true },
      handler(_request, reply) {
        text ??= JSON.stringify(document())
        return reply.header('cache-control', 'public, max-age=300').type('application/json; charset=utf-8').send(text)
      }
    })
  }
  await app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: pagePolicy,
    transformSpecification: (document) => {
      const { info } = document as { info: { description: string } }
      return { ...document, info: { ...info, description: info.description + invitation } }
    },
    transformSpecificationClone: false,
    uiConfig: {
      layout: 'BaseLayout',
      tryItOutEnabled: true,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0,
      validatorUrl: null
    },
    theme: { title: 'Gatehouse', favicon: [favicon] },
    indexPrefix: ''
  })
}
