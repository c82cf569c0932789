import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Counter, CounterConfiguration, Histogram, HistogramConfiguration } from 'prom-client'

/** Where each part registers what it counts, before the service is ready. Without METRICS_PORT nothing is counted. */
export interface Metrics {
  counter: <L extends string>(configuration: CounterConfiguration<L>) => Pick<Counter<L>, 'inc'>
  histogram: <L extends string>(configuration: HistogramConfiguration<L>) => Pick<Histogram<L>, 'observe'>
}

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics
  }
}

const uncounted: Metrics = {
  counter: () => ({ inc: () => undefined }),
  histogram: () => ({ observe: () => undefined })
}

/**
 * The registry of metrics, and `GET /metrics` for Prometheus on a port of its own, since it is not for the public. The
 * library is not even loaded without one: it takes 12 MB.
 */
export default fp(
  async function metrics(app) {
    const { host, metricsPort } = app.config
    if (metricsPort === undefined) {
      app.decorate('metrics', uncounted)
      return
    }
    const { collectDefaultMetrics, Counter, Histogram, Registry } = await import('prom-client')
    const registry = new Registry()
    const registers = [registry]
    collectDefaultMetrics({ register: registry })
    app.decorate('metrics', {
      counter: (configuration) => new Counter({ registers, ...configuration }),
      histogram: (configuration) => new Histogram({ registers, ...configuration })
    })
    observeRequests(app)

    const server = createServer((request, response) => {
      if (request.url !== '/metrics') {
        response.writeHead(404).end()
        return
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { allow: 'GET, HEAD' }).end()
        return
      }
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        (error: unknown) => {
          app.log.error({ err: error }, 'metrics failed')
          response.writeHead(500).end()
        }
      )
    })
    app.addHook('onReady', async () => {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen({ host, port: metricsPort }, resolve)
      })
      app.log.info({ port: (server.address() as AddressInfo).port }, 'metrics at /metrics')
    })
    app.addHook('onClose', async () => {
      server.close()
      server.closeAllConnections()
    })
  },
  { name: 'metrics', dependencies: ['config'] }
)

function observeRequests(app: FastifyInstance): void {
  const durations = app.metrics.histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
  })
  app.addHook('onResponse', (request, reply, done) => {
    // The route's pattern, never the path: callers would decide how many series there are.
    const route = request.routeOptions.url ?? 'unmatched'
    durations.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
    done()
  })
}
