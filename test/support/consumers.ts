import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import Fastify from 'fastify'
import guards from 'gatehouse-auth-client/express'
import plugin from 'gatehouse-auth-client/fastify'
import type { Caller, Role, VerifierOptions } from 'gatehouse-auth-client/verifier'
import type { Test } from 'tap'
import { type Service } from './service.ts'

const roles: Role[] = ['reader', 'author', 'admin']

/** A service that trusts Gatehouse's tokens, with routes `/`, `/reader`, `/author` and `/admin` that answer with the caller. */
export interface Consumer {
  framework: string
  url: string
  /** Requests that reached a handler. */
  handled: Caller[]
}

/** The same service by each framework, with a verifier of its own. */
export async function startConsumers(
  t: Test,
  service: Pick<Service, 'url' | 'env'>,
  options: Partial<VerifierOptions> = {}
): Promise<Consumer[]> {
  const complete = {
    issuer: service.env.ISSUER ?? '',
    audience: 'gatehouse',
    jwksUrl: `${service.url}/.well-known/jwks.json`,
    ...options
  }
  return [await startFastify(t, complete), await startExpress(t, complete)]
}

async function startFastify(t: Test, options: VerifierOptions): Promise<Consumer> {
  const handled: Caller[] = []
  const app = Fastify()
  await app.register(plugin, options)
  app.get('/', { onRequest: app.requireCaller }, ({ caller }) => {
    handled.push(caller)
    return caller
  })
  for (const role of roles) {
    app.get(`/${role}`, { onRequest: app.requireRole(role) }, ({ caller }) => {
      handled.push(caller)
      return caller
    })
  }
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  return { framework: 'Fastify', url, handled }
}

async function startExpress(t: Test, options: VerifierOptions): Promise<Consumer> {
  const handled: Caller[] = []
  const app = express()
  const { requireRole, requireCaller } = guards(options)
  const handler: express.RequestHandler = ({ caller }, response) => {
    handled.push(caller)
    response.json(caller)
  }
  app.get('/', requireCaller, handler)
  for (const role of roles) app.get(`/${role}`, requireRole(role), handler)
  return { framework: 'Express', url: await serve(t, app as RequestListener), handled }
}

/** A server on a port of its own, closed when the test ends. @returns its URL */
export async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
}
