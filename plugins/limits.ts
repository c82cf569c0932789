import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Problem } from '../src/errors.ts'
import { describeLimit, type Limit, type LimitName } from '../src/config/limits.ts'
import { toNetwork } from '../src/throttling/network.ts'
import { hooks, requireUser } from './access.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How often a route may be called, by its name in src/config/limits.ts; routes that name none are not limited. */
    limit?: Exclude<LimitName, 'client'>
  }
}

/** Limits by what each route names. They count once the request is known to be well-formed, and before its handler. */
export default fp(
  async function limitsPlugin(app) {
    const { config, limiter } = app
    if (!config.rateLimit) return

    app.addHook('onRoute', (route) => {
      const name = route.config?.limit
      if (name === undefined) return
      const limit: Limit = config.limits[name]

      async function refuseTooMany(request: FastifyRequest): Promise<void> {
        const wait = await limiter.take(name as LimitName, ...keysOf(request, limit))
        if (wait > 0) throw new Problem('rate_limited', { detail: describeLimit(limit, wait), retryAfter: wait })
      }

      route.preHandler = [...hooks(route.preHandler), refuseTooMany]
    })

    /** What counts the request and, where that is a part of something, the whole. */
    function keysOf(request: FastifyRequest, { per }: Limit): [key: string, whole?: string] {
      const network = toNetwork(request.ip)
      if (per === 'user') return [String(requireUser(request).userId)]
      if (per === 'device') return [request.device()?.id ?? network]
      if (per !== 'session') return [network]
      if (request.principal !== null) return [request.principal.sessionId]
      const body = request.body as { refresh_token?: string } | null | undefined
      const claims = app.tokens.refresh.read(body?.refresh_token ?? request.refreshCookie() ?? '')
      return claims === undefined ? [network] : [`${claims.sessionId}:${String(claims.counter)}`, claims.sessionId]
    }
  },
  { name: 'limits', dependencies: ['access', 'config', 'cookies', 'jwt', 'limiter'] }
)
