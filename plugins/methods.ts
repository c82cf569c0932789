import { METHODS } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Problem } from '../src/errors.ts'
import type { Access } from './access.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** No method is refused here: the route takes every one, or only keeps others away from its path. */
    takesAnyMethod?: true
    /** Refuses its methods once the caller is known to have access to the path. */
    refusesMethods?: true
  }
  interface FastifyInstance {
    /** To be called behind the last route. */
    refuseOtherMethods: () => void
  }
}

/** Where the first route of a path was registered, and what it declares. */
interface Path {
  area: FastifyInstance
  routePath: string
  access: Access | undefined
  takesForm: boolean
}

/**
 * A known path by another method is `405` with `Allow` (RFC 9110 §15.5.6). Such requests have routes of their own, in the
 * area of the path: so they pass the same authentication, and strangers do not learn what a guarded path takes.
 */
export default fp(
  async function methods(app) {
    // Of those that Node.js parses, Fastify routes few. A tunnel has no path.
    const usual = app.supportedMethods
    const unusual = METHODS.filter((method) => method !== 'CONNECT' && !usual.includes(method))
    for (const method of unusual) app.addHttpMethod(method, { hasBody: true })

    const paths = new Map<string, Path>()
    app.addHook('onRoute', function (this: FastifyInstance, { url, routePath, config = {} }) {
      const { access, takesForm = false, takesAnyMethod = false, refusesMethods = false } = config
      if (takesAnyMethod || refusesMethods || paths.has(url)) return
      paths.set(url, { area: this, routePath, access, takesForm })
    })

    app.decorate('refuseOtherMethods', () => {
      for (const [url, path] of paths) refuseOthers(url, path)
    })

    function refuseOthers(url: string, { area, routePath, access, takesForm }: Path): void {
      const methods = usual.filter((method) => app.hasRoute({ method, url }))
      const allow = methods.toSorted().join(', ')
      const refuse = (_request: FastifyRequest, reply: FastifyReply): never => {
        reply.header('allow', allow)
        throw new Problem('method_not_allowed', { detail: `This path takes ${allow}` })
      }
      area.route({
        method: [...usual.filter((method) => !methods.includes(method)), ...unusual],
        url: routePath,
        prefixTrailingSlash: 'slash',
        config: { ...(access !== undefined && { access }), ...(takesForm && { takesForm }), refusesMethods: true },
        schema: { hide: true },
        // A service may prove itself in the body: for all others there is no need to read one.
        ...(access !== 'service' && { onRequest: refuse }),
        handler: refuse
      })
    }
  },
  { name: 'methods', dependencies: ['access', 'errors'] }
)
