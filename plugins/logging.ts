import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { pino } from 'pino'
import { levelOfAnswer } from '../src/logger.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Changes nothing, whatever its method: a line for each of its answers would be too many. */
    isRead?: boolean
  }
}

/** One line an answer that changed, refused or failed; reads are lines at `debug` only, as they are the bulk. */
export default fp(
  async function logging(app) {
    const lowest = pino.levels.values[app.config.logLevel] ?? Infinity
    app.addHook('onResponse', (request, reply, done) => {
      const method = request.routeOptions.config.isRead === true ? 'GET' : request.method
      const level = levelOfAnswer(method, reply.statusCode)
      if ((pino.levels.values[level] ?? 0) >= lowest) {
        request.log[level](
          {
            method: request.method,
            path: printable(request.url.replace(/\?.*/s, '')),
            status: reply.statusCode,
            ms: Math.round(reply.elapsedTime * 10) / 10,
            ip: request.ip,
            user_agent: printable(request.headers['user-agent']),
            ...callerOf(request)
          },
          'answered'
        )
      }
      done()
    })
  },
  { name: 'logging', dependencies: ['config', 'access'] }
)

function callerOf({ principal, client }: FastifyRequest) {
  const caller = principal ?? client
  return caller?.kind === 'client' ? { client_id: caller.clientId } : { user_id: caller?.userId }
}

/** Bounded, and without the control characters that JSON leaves as they are: U+009B alone begins a terminal's commands. */
const printable = (text: string | undefined) => text?.slice(0, 256).replaceAll(/[\u007f-\u009f]/g, '?')
