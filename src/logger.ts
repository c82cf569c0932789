import type { LoggerOptions } from 'pino'
import { describeError } from './database/errors.ts'
import { problems } from './errors.ts'

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

/** Levels at which an answer is worth a line: failures, refusals and changes; reads only for debugging. */
export function levelOfAnswer(method: string, status: number): 'error' | 'info' | 'debug' {
  if (status >= 500 && status !== problems.overloaded.status) return 'error'
  if (status >= 500 || status === 403 || !['GET', 'HEAD', 'OPTIONS'].includes(method)) return 'info'
  return 'debug'
}
