import { ConfigError } from '../src/config/config.ts'
import {
  DatabaseBusy,
  describeError,
  driverError,
  EmbeddedDatabaseError,
  isUnavailable
} from '../src/database/errors.ts'
import { InvalidInput, Problem } from '../src/errors.ts'
import { KeyError } from '../src/keys/key-files.ts'
import { CommandError } from './command-error.ts'

/** Errors whose message is written for an operator. */
const explained = [ConfigError, KeyError, EmbeddedDatabaseError, CommandError]

/** What went wrong and what to do, in words for an operator: no stack, and nothing of a secret. */
export function explainFailure(error: unknown, env: NodeJS.ProcessEnv): string {
  if (error instanceof Problem) return explainProblem(error)
  if (error instanceof InvalidInput) return error.message
  if (explained.some((type) => error instanceof type)) return (error as Error).message
  return explainSystem(error) ?? explainDatabase(error, env) ?? explainUnexpected(error, env)
}

function explainProblem(problem: Problem): string {
  return problem.code === 'last_admin' ? `${problem.message}: make another user admin first` : problem.message
}

/** Ports and files that are not to be had. */
function explainSystem(error: unknown): string | undefined {
  const { code, syscall, path, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  const reason = code ?? ''
  if (syscall === 'listen' || syscall === 'bind') {
    const place = `${address ?? ''}:${String(port)}`
    if (code === 'EADDRINUSE')
      return `Cannot listen on ${place}, which is in use: stop what listens there or set another PORT or METRICS_PORT`
    return `Cannot listen on ${place} (${reason}): check HOST, PORT and METRICS_PORT`
  }
  if (syscall === undefined || path === undefined) return undefined
  return `Cannot use ${path} (${syscall}: ${reason}): check that the path exists and who may read and write it`
}

function explainDatabase(error: unknown, env: NodeJS.ProcessEnv): string | undefined {
  const code = driverError(error)?.code
  if (typeof code === 'string' && code.startsWith('28')) {
    return `PostgreSQL at ${readAddress(env.DATABASE_URL)} refused the login: check user and password in DATABASE_URL`
  }
  if (code === '3D000') {
    return `PostgreSQL at ${readAddress(env.DATABASE_URL)} has no such database: create it, or check DATABASE_URL`
  }
  if (code === '42501') return 'The database role may not do that: grant it the right, or use its owner in DATABASE_URL'
  if (!isUnavailable(error)) return undefined
  const reason = typeof code === 'string' ? code : error instanceof DatabaseBusy ? 'no answer in time' : 'no answer'
  return `Cannot reach PostgreSQL at ${readAddress(env.DATABASE_URL)} (${reason}): check DATABASE_URL, and that the server runs`
}

/** The host and port of a database's URL, never its password. */
function readAddress(url = ''): string {
  if (!URL.canParse(url)) return 'the host in DATABASE_URL'
  const { hostname, port } = new URL(url)
  return `${hostname || 'localhost'}:${port || '5432'}`
}

/** A fault of ours. Of errors from the database only what holds no values is told. */
function explainUnexpected(error: unknown, env: NodeJS.ProcessEnv): string {
  const details = describeError(error) as { type: string; message?: string; code?: unknown }
  if (env.LOG_LEVEL === 'debug' || env.LOG_LEVEL === 'trace') return JSON.stringify(details)
  const what = details.message?.split('\n', 1)[0] ?? [details.type, details.code].join(' ')
  return `${what} (unexpected: LOG_LEVEL=debug tells where)`
}
