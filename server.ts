import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { DestinationStream } from 'pino'
import { buildApp } from './app.ts'
import { announceReady } from './plugins/http/log-stream.ts'
import type { Config } from './src/config/config.ts'

/** Seconds in which load balancers see that the service is no longer ready, before it stops to listen. */
const drainTime = 2

/** Serves until SIGTERM or SIGINT, then finishes what is in flight. Sets the exit status. */
export async function serve(config: Config, logStream?: DestinationStream): Promise<void> {
  const app = await buildApp(config, logStream && { logStream })
  try {
    await app.listen({ host: config.host, port: config.port })
    app.log.info(announceReady(config))
  } catch (error) {
    await app.close()
    throw error
  }
  let stopping = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) return
    stopping = true
    void stop(app, config, signal)
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
}

async function stop(app: FastifyInstance, config: Config, signal: string): Promise<void> {
  app.log.info({ signal }, 'stopping')
  setTimeout(() => {
    app.log.error('stopped with requests in flight: SHUTDOWN_TIMEOUT_SECONDS has passed')
    process.exit(1)
  }, config.shutdownTimeout * 1000).unref()
  app.lifecycle.stopping = true
  if (config.production) await delay(Math.min(drainTime, config.shutdownTimeout / 2) * 1000)
  await app.close()
  app.log.info('stopped')
  process.exitCode = 0
}
