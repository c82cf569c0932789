import fastifyCors from '@fastify/cors'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Problem } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False keeps CORS, and its public preflight, away from a route. */
    cors?: false
  }
  interface FastifyRequest {
    /** @throws {Problem} `cross_origin_refused` unless the request comes from a trusted page or from no browser */
    refuseCrossOrigin: () => void
  }
}

/** CORS for the origins that are listed, and the check that keeps other sites from acting with a user's cookies. */
export default fp(
  async function crossOrigin(app) {
    const { corsOrigins, ownOrigins } = app.config
    const trusted = new Set([...ownOrigins, ...corsOrigins])

    // Fetch metadata first, then the origin, as Go's CrossOriginProtection does: no browser sends
    // an unsafe request with neither.
    app.decorateRequest('refuseCrossOrigin', function (this: FastifyRequest) {
      const { 'sec-fetch-site': site, origin } = this.headers
      if (site === 'same-origin' || site === 'none') return
      if (site === undefined && origin === undefined) return
      if (origin === undefined || !trusted.has(origin)) throw new Problem('cross_origin_refused')
    })

    if (corsOrigins.length === 0) return
    await app.register(fastifyCors, {
      origin: corsOrigins,
      credentials: true,
      methods: ['GET', 'POST', 'PATCH', 'DELETE'],
      allowedHeaders: ['authorization', 'content-type'],
      exposedHeaders: ['x-request-id', 'retry-after', 'www-authenticate'],
      maxAge: 600,
      strictPreflight: false
    })
  },
  { name: 'cross-origin', dependencies: ['config'] }
)
