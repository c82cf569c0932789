import { METHODS } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { requirePrincipal } from '../../plugins/access.ts'
import { ignoreBodies } from '../../plugins/validation.ts'
import { Problem } from '../../src/errors.ts'
import { roles } from '../../src/roles.ts'

/**
 * Forward-auth for nginx `auth_request`, Traefik, Caddy and Envoy: 204 with the caller's identity, 401 or 403.
 * Proxies pass on the method and the body of the request that they ask for, whatever these are.
 */
export async function authz(app: FastifyInstance): Promise<void> {
  ignoreBodies(app)
  const otherMethods = METHODS.filter((method) => method !== 'GET' && app.supportedMethods.includes(method))
  for (const role of [undefined, ...roles]) {
    const question: RouteOptions = {
      method: 'GET',
      url: role === undefined ? '/' : `/${role}`,
      exposeHeadRoute: false,
      prefixTrailingSlash: 'no-slash',
      config: {
        access: role === undefined ? 'caller' : { role },
        ignoresBody: true,
        takesAnyMethod: true,
        cors: false,
        denials: 'logged',
        isForwardAuth: true
      },
      schema: {
        operationId: role === undefined ? 'authorize' : `authorize${capitalized(role)}`,
        summary:
          role === undefined
            ? 'Check whether the caller is authenticated'
            : `Check whether the caller has the role ${role}`,
        description: 'Forward-auth for reverse proxies. Every method gets the same answer.',
        response: { 204: identityHeaders }
      },
      handler: answer
    }
    app.route(question)
    // OpenAPI knows few of the methods, and asks for an operationId for each.
    app.route({ ...question, method: otherMethods, schema: { hide: true } })
  }
  // CORS answers any OPTIONS that no route takes: below here, where a proxy may append a path, that would be a yes.
  app.route({
    method: 'OPTIONS',
    url: '/*',
    config: { access: 'caller', ignoresBody: true, cors: false, takesAnyMethod: true },
    schema: { hide: true },
    handler: () => {
      throw new Problem('not_found')
    }
  })
}

const capitalized = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

function answer(request: FastifyRequest, reply: FastifyReply): void {
  const principal = requirePrincipal(request)
  reply
    .code(204)
    .header('x-auth-request-user', principal.claims.sub)
    .header('x-auth-request-preferred-username', principal.username)
    .header('x-auth-request-groups', principal.groups)
    .send()
}

const identityHeaders = {
  type: 'null',
  description: 'The caller may pass. Forward the identity to the service behind the proxy.',
  headers: {
    'x-auth-request-user': { type: 'string', description: "The token's subject" },
    'x-auth-request-preferred-username': { type: 'string' },
    'x-auth-request-groups': { type: 'string', description: 'The roles, separated by commas' }
  }
}
