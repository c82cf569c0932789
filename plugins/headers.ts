import type { IncomingMessage, ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import helmet from 'helmet'

const year = 365 * 24 * 60 * 60

// Left out: what is about documents and browsers of old, in answers that are data.
const standing = helmetHeaders({
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  strictTransportSecurity: { maxAge: year, includeSubDomains: true },
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: { action: 'deny' },
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false
})

/** The security headers of the answer to a request. */
export const headersFor = (requestId: string): Record<string, string> => ({ ...standing, 'x-request-id': requestId })

/**
 * The security headers of every answer. Helmet decides them, once: they are the same for every request,
 * and running it for each would cost a third of the time of an access check.
 */
export default fp(
  async function headers(app) {
    app.addHook('onRequest', (request, reply, done) => {
      reply.headers(standing)
      reply.header('x-request-id', request.id)
      done()
    })
  },
  { name: 'headers' }
)

/** Applies the options to a response that only takes notes. */
export function helmetHeaders(options: Parameters<typeof helmet>[0]): Record<string, string> {
  const noted: Record<string, string> = { 'cache-control': 'no-store' }
  const response = {
    setHeader: (name: string, value: string) => {
      noted[name.toLowerCase()] = value
    },
    removeHeader: () => undefined
  }
  helmet(options)({} as unknown as IncomingMessage, response as unknown as ServerResponse, (error) => {
    if (error !== undefined) throw error as Error
  })
  return noted
}
