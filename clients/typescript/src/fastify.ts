import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { AccessProblem, type Caller, createVerifier, type Role, type VerifierOptions } from './verifier.ts'

export type { Caller, Role, VerifierOptions } from './verifier.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Lets callers with the role pass: `{ onRequest: app.requireRole('author') }`. Others get a 401 or 403. */
    requireRole: (role: Role) => onRequestAsyncHookHandler
    /** Lets every user and service with a good token pass: `{ onRequest: app.requireCaller }`. */
    requireCaller: onRequestAsyncHookHandler
  }
  interface FastifyRequest {
    /** @throws {Error} on a route that has neither `requireRole` nor `requireCaller` */
    caller: Caller
  }
}

const known = new WeakMap<FastifyRequest, Caller>()

/** `app.register(gatehouse, { issuer, audience })`: access tokens of Gatehouse, sent as `Authorization: Bearer`. */
const gatehouse = fp<VerifierOptions>(
  async (app, options) => {
    const verifier = createVerifier(options)
    app.decorateRequest('caller', {
      getter() {
        const caller = known.get(this)
        if (caller === undefined) throw new Error('This route has no requireRole or requireCaller')
        return caller
      }
    })
    app.decorate('requireRole', (role) => admit(({ authorization }) => verifier.authorize(authorization, role)))
    app.decorate(
      'requireCaller',
      admit(({ authorization }) => verifier.authenticate(authorization))
    )
  },
  { name: 'gatehouse-auth-client', fastify: '5.x' }
)

export default gatehouse

function admit(identify: (headers: FastifyRequest['headers']) => Promise<Caller>): onRequestAsyncHookHandler {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    try {
      known.set(request, await identify(request.headers))
    } catch (error) {
      if (!(error instanceof AccessProblem)) throw error
      if (error.status === 503) request.log.warn({ err: error.cause }, error.code)
      else request.log.info({ reason: error.cause }, error.code)
      // The answer, and so the end: neither the body nor the handler of the route comes to it.
      return reply.code(error.status).headers(error.headers).send(error.toBody(request.id))
    }
  }
}
