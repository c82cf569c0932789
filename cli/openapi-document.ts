import Fastify from 'fastify'
import fp from 'fastify-plugin'
import access from '../plugins/access.ts'
import configPlugin from '../plugins/config.ts'
import cookies from '../plugins/cookies.ts'
import crossOrigin from '../plugins/cross-origin.ts'
import errors from '../plugins/errors.ts'
import methods from '../plugins/methods.ts'
import openapi from '../plugins/openapi.ts'
import validation from '../plugins/validation.ts'
import { readOpenapi30 } from '../routes/documentation/openapi-3.0.ts'
import routes from '../routes/index.ts'
import { readConfig } from '../src/config/config.ts'

/**
 * The OpenAPI document of a service with default settings, as JSON text: what `GET /openapi.json` serves,
 * from the same routes, but without the database and the keys, which only handlers use.
 */
export async function openapiDocument(): Promise<string> {
  const app = Fastify()
  await app.register(configPlugin, { config: readConfig({ DOCS: 'off' }) })
  for (const name of ['client-credentials', 'denials', 'devices', 'jwt', 'revocations', 'services'])
    await app.register(fp(async () => undefined, { name }))
  for (const plugin of [errors, validation, cookies, crossOrigin, access, methods, openapi, routes])
    await app.register(plugin)
  await app.ready()
  const document = JSON.stringify(app.swagger(), null, 2)
  await app.close()
  return `${document}\n`
}

/** The same as OpenAPI 3.0.3, as JSON text. */
export const openapi30Document = (): string => `${JSON.stringify(readOpenapi30(), null, 2)}\n`
