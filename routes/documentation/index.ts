import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { packageFolder } from '../../src/package-folder.ts'
import { toOpenapi30 } from './openapi-3.0.ts'
import { favicon, page, pagePolicy } from './page.ts'

const [json, script] = ['application/json; charset=utf-8', 'text/javascript; charset=utf-8']

const asset = (name: string) => join(packageFolder, 'routes/documentation/assets', name)

/** Scalar's script: `npm run build` copies it beside ours; in a checkout it is where npm has installed it. */
function findScalar(): string {
  const built = asset('scalar.js')
  if (existsSync(built)) return built
  return join(createRequire(import.meta.url).resolve('@scalar/fastify-api-reference'), '../js/standalone.js')
}

/** The OpenAPI document in two versions, and a page on which to read and try it. */
export async function documentation(app: FastifyInstance): Promise<void> {
  if (!app.config.docs) return
  serve('/openapi.json', json, () => JSON.stringify(app.swagger()))
  serve('/openapi-3.0.json', json, () => JSON.stringify(toOpenapi30(app.swagger())))
  serve('/docs/scalar.js', script, () => readFileSync(findScalar()))
  serve('/docs/docs.js', script, () => readFileSync(asset('docs.js')))
  serve('/docs/favicon.svg', 'image/svg+xml', () => favicon)
  app.route({
    method: 'GET',
    url: '/docs',
    schema: { hide: true },
    handler: (_request, reply) =>
      reply.type('text/html; charset=utf-8').header('content-security-policy', pagePolicy).send(page)
  })
  app.route({
    method: 'GET',
    url: '/docs/',
    schema: { hide: true },
    handler: (_request, reply) => reply.redirect('../docs')
  })

  /** Serves what is the same for everybody, and is made when it is first asked for. */
  function serve(url: string, type: string, make: () => string | Buffer): void {
    let content: string | Buffer | undefined
    app.route({
      method: 'GET',
      url,
      schema: { hide: true },
      handler(_request, reply) {
        content ??= make()
        return reply.header('cache-control', 'public, max-age=300').type(type).send(content)
      }
    })
  }
}
