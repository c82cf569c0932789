import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

// What proxies add. Strangers can, too: it is a hint and no more.
const forwardingHeaders = ['x-forwarded-for', 'forwarded', 'x-real-ip']

/** Behind a proxy that is not named all clients have one address, and share its limits: the first request tells. */
export default fp(
  async function forwarding(app) {
    if (app.config.trustProxy.length > 0) return
    let hasTold = false
    app.addHook('onRequest', (request: FastifyRequest, _reply: FastifyReply, done) => {
      if (!hasTold && forwardingHeaders.some((name) => request.headers[name] !== undefined)) {
        hasTold = true
        app.log.warn(
          { peer: request.socket.remoteAddress },
          'a request came with the headers of a proxy: if one sends them, TRUST_PROXY must name it, or all clients share its limits'
        )
      }
      done()
    })
  },
  { name: 'forwarding', dependencies: ['config'] }
)
