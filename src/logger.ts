import type { LoggerOptions } from 'pino'
import { driverError } from './database/errors.ts'
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

/** The frames tell where; of the message, only what we wrote ourselves. */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error }
  const driver = driverError(error)
  const fromDatabase = driver !== undefined && ('severity' in driver || error.message.startsWith('Failed query'))
  return {
    type: error.name,
    code: driver?.code ?? (error as NodeJS.ErrnoException).code,
    ...(fromDatabase ? { routine: driver.routine } : { message: error.message }),
    frames: (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line))
  }
}

/** Levels at which an answer is worth a line: failures, refusals and changes; reads only for debugging. */
export function levelOfAnswer(method: string, status: number): 'error' | 'info' | 'debug' {
  if (status >= 500 && status !== problems.overloaded.status) return 'error'
  if (status >= 500 || status === 403 || !['GET', 'HEAD', 'OPTIONS'].includes(method)) return 'info'
  return 'debug'
}
