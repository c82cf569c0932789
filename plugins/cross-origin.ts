import fastifyCors from '@fastify/cors'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Problem } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False keeps CORS, and its public preflight, away from a route. */
    cors?: false
    /** A proxy asks about a request of its own client, whose method it may tell in a header. */
    isForwardAuth?: boolean
  }
  interface FastifyRequest {
    /** @throws {Problem} `cross_origin_refused` unless the request comes from a trusted page or from no browser */
    refuseCrossOrigin: () => void
    /** @throws {Problem} as `refuseCrossOrigin` does, where the request does more than read */
    refuseUnsafeCrossOrigin: () => void
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
    app.decorateRequest('refuseUnsafeCrossOrigin', function (this: FastifyRequest) {
      if (!isSafe(this)) this.refuseCrossOrigin()
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

/**
 * Whether a request only reads. Where a proxy asks by GET (Caddy, Traefik), that of its client counts as well: whichever
 * method is unsafe, so that nothing is gained by bringing a header, and what is no method is not safe either. A WebSocket
 * begins with a GET and is no reading: its browser lets any page open one, with cookies, and read the answers.
 */
function isSafe({ method, headers, routeOptions }: FastifyRequest): boolean {
  if (!safeMethods.has(method)) return false
  if (routeOptions.config.isForwardAuth !== true) return true
  if (headers['sec-websocket-version'] !== undefined) return false
  const told = [headers['x-forwarded-method'], headers['x-original-method']]
  return told.flat().every((name) => name === undefined || safeMethods.has(name))
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
