import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { randomBytes } from 'node:crypto'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import type { DestinationStream } from 'pino'
import access from './plugins/access.ts'
import bootstrap from './plugins/bootstrap.ts'
import clientCredentials from './plugins/client-credentials.ts'
import configPlugin from './plugins/config.ts'
import cookies from './plugins/cookies.ts'
import crossOrigin from './plugins/cross-origin.ts'
import database from './plugins/database.ts'
import denials from './plugins/denials.ts'
import errors, { refuseUnroutable } from './plugins/errors.ts'
import forwarding from './plugins/forwarding.ts'
import headers from './plugins/headers.ts'
import jwt from './plugins/jwt.ts'
import lifecycle from './plugins/lifecycle.ts'
import jobs from './plugins/jobs.ts'
import limiter from './plugins/limiter.ts'
import limits from './plugins/limits.ts'
import logging, { loggerOptions } from './plugins/logging.ts'
import mail from './plugins/mail.ts'
import methods from './plugins/methods.ts'
import metrics from './plugins/metrics.ts'
import openapi from './plugins/openapi.ts'
import passwords from './plugins/passwords.ts'
import operations from './plugins/operations.ts'
import { serializersOnDemand } from './plugins/http/serialization.ts'
import revocations from './plugins/revocations.ts'
import sweeper from './plugins/sweeper.ts'
import validation from './plugins/validation.ts'
import routes from './routes/index.ts'
import { refuseMalformedHttp, requireHost } from './plugins/http/malformed-http.ts'
import type { Config } from './src/config/config.ts'

/** How long clients may take, in milliseconds. */
export interface Timeouts {
  /** For the headers, and for all of a request. */
  headers: number
  request: number
  /** Without a byte in either direction. */
  inactivity: number
  /** Between two requests. Longer than a proxy's own, so that it is the proxy that closes. */
  keepAlive: number
  /** How often the first two are looked at. */
  checkInterval: number
}

export const defaultTimeouts: Timeouts = {
  headers: 10_000,
  request: 10_000,
  inactivity: 15_000,
  keepAlive: 72_000,
  checkInterval: 1000
}

/** Bytes of a request's body. */
export const bodyLimit = 16 * 1024

/** The service, ready to listen: the plugins in order, then the routes. */
export async function buildApp(
  config: Config,
  overrides: { logStream?: DestinationStream; timeouts?: Timeouts } = {}
): Promise<FastifyInstance> {
  const timeouts = overrides.timeouts ?? defaultTimeouts
  const app = Fastify({
    logger: { ...loggerOptions(config.logLevel), ...(overrides.logStream && { stream: overrides.logStream }) },
    logController: new LogController({ disableRequestLogging: true }),
    // Never the client's own: it would let strangers write into our logs.
    requestIdHeader: false,
    genReqId: requestIds(),
    trustProxy: config.trustProxy.length > 0 ? config.trustProxy : false,
    bodyLimit,
    requestTimeout: timeouts.request,
    connectionTimeout: timeouts.inactivity,
    keepAliveTimeout: timeouts.keepAlive,
    http: {
      headersTimeout: timeouts.headers,
      connectionsCheckingInterval: timeouts.checkInterval,
      requireHostHeader: false
    },
    schemaController: { compilersFactory: { buildSerializer: serializersOnDemand() } },
    routerOptions: { maxParamLength: 100 },
    clientErrorHandler: refuseMalformedHttp,
    frameworkErrors: refuseUnroutable,
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    // Preparation may wait for another instance's migrations, which have a limit of their own.
    pluginTimeout: 0
  }).withTypeProvider<TypeBoxTypeProvider>()

  try {
    await assemble(app, config)
    return app
  } catch (error) {
    // What was opened before the fault: a pool, the lock on an embedded database.
    await app.close()
    throw error
  }
}

async function assemble(app: FastifyInstance, config: Config): Promise<void> {
  await app.register(configPlugin, { config })
  await app.register(metrics)
  await app.register(headers)
  app.addHook('onRequest', requireHost)
  await app.register(forwarding)
  await app.register(lifecycle)
  await app.register(errors)
  await app.register(validation)
  await app.register(database)
  await app.register(passwords)
  await app.register(bootstrap)
  await app.register(jwt)
  await app.register(revocations)
  await app.register(cookies)
  await app.register(limiter)
  await app.register(clientCredentials)
  await app.register(crossOrigin)
  await app.register(denials)
  await app.register(access)
  await app.register(limits)
  await app.register(methods)
  await app.register(logging)
  await app.register(jobs)
  await app.register(mail)
  await app.register(operations)
  await app.register(sweeper)
  await app.register(openapi)
  await app.register(routes)
  await app.ready()
}

/** Unique over instances and restarts, and cheap: random once, then counted. */
function requestIds(): () => string {
  const instance = randomBytes(6).toString('hex')
  let count = 0
  return () => `${instance}-${(count++).toString(36)}`
}
