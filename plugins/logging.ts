import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type LoggerOptions, pino } from 'pino'
import { describeError } from '../src/database/errors.ts'
import { problems } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Changes nothing, whatever its method: a line for each of its answers would be too many. */
    isRead?: boolean
  }
}

/**
 * JSON lines in UTC. Secrets are kept out at two places: known names are redacted wherever they are logged,
 * and of a database's error only what holds no values is written, since its message quotes parameters and rows.
 */
export function loggerOptions(level: string): LoggerOptions {
  return {
    level,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: {
      paths: ['authorization', 'cookie', '["set-cookie"]', 'password', 'token', 'client_secret'].flatMap((name) => [
        name,
        name.startsWith('[') ? `*${name}` : `*.${name}`
      ]),
      censor: '[redacted]'
    },
    serializers: { err: describeError }
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
            ...describeCaller(request)
          },
          'answered'
        )
      }
      done()
    })
  },
  { name: 'logging', dependencies: ['config', 'access'] }
)

/** Levels at which an answer is worth a line: failures, refusals and changes; reads only for debugging. */
function levelOfAnswer(method: string, status: number): 'error' | 'info' | 'debug' {
  if (status >= 500 && status !== problems.overloaded.status) return 'error'
  if (status >= 500 || status === 403 || !['GET', 'HEAD', 'OPTIONS'].includes(method)) return 'info'
  return 'debug'
}

function describeCaller({ principal, client }: FastifyRequest) {
  const caller = principal ?? client
  return caller?.kind === 'client' ? { client_id: caller.clientId } : { user_id: caller?.userId }
}

/** Bounded, and without the control characters that JSON leaves as they are: U+009B alone begins a terminal's commands. */
const printable = (text: string | undefined) => text?.slice(0, 256).replaceAll(/[\u007f-\u009f]/g, '?')
