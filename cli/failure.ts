import { CommanderError } from 'commander'
import { ConfigError } from '../src/config/config.ts'
import {
  DatabaseBusy,
  describeError,
  driverError,
  EmbeddedDatabaseError,
  isUnavailable
} from '../src/database/errors.ts'
import { InvalidInput, Problem, type ProblemCode } from '../src/errors.ts'
import { KeyError } from '../src/keys/key-files.ts'
import { CommandError, type FailureCode } from './command-error.ts'

/** What went wrong and what to do, in words for an operator: no stack, and nothing of a secret. */
export interface Failure {
  code: FailureCode | ProblemCode
  message: string
  /** The faults of input or of settings, each by itself. */
  errors?: { field?: string; message: string }[]
}

/** 0 after `--help`, 2 for a command line that is not valid, 1 for all else. */
export function exitStatus(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  return error instanceof CommandError && error.code === 'usage' ? 2 : 1
}

export const explainFailure = (error: unknown, env: NodeJS.ProcessEnv): string => describeFailure(error, env).message

export function describeFailure(error: unknown, env: NodeJS.ProcessEnv): Failure {
  return (
    describeOwn(error) ?? describeSystem(error, env) ?? describeDatabase(error, env) ?? describeUnexpected(error, env)
  )
}

/** Errors whose message is written for an operator. */
function describeOwn(error: unknown): Failure | undefined {
  if (error instanceof CommanderError) return describeUsage(error)
  if (error instanceof CommandError) return { code: error.code, message: error.message }
  if (error instanceof Problem) return describeProblem(error)
  if (error instanceof InvalidInput) {
    return { code: 'validation_failed', message: error.message, errors: [...error.faults] }
  }
  if (error instanceof ConfigError) {
    return { code: 'settings_invalid', message: error.message, errors: error.faults.map((message) => ({ message })) }
  }
  if (error instanceof KeyError) return { code: 'keys_unusable', message: error.message }
  if (error instanceof EmbeddedDatabaseError) {
    return { code: error.reason === 'missing' ? 'database_missing' : 'database_unusable', message: error.message }
  }
  return undefined
}

function describeUsage({ code, message }: CommanderError): Failure {
  // It has printed the help.
  if (code === 'commander.help') return { code: 'usage', message: 'A command is missing: --help lists them' }
  return { code: 'usage', message: message.replace(/^error: /, '').replaceAll('\n', ' ') }
}

function describeProblem({ code, message }: Problem): Failure {
  return { code, message: code === 'last_admin' ? `${message}: make another user admin first` : message }
}

interface SystemError extends NodeJS.ErrnoException {
  address?: string
  port?: number
  hostname?: string
}

/** Ports and files that are not to be had. */
function describeSystem(error: unknown, env: NodeJS.ProcessEnv): Failure | undefined {
  const { code, syscall, path, address, port, hostname } = error as SystemError
  const reason = code ?? ''
  if (syscall === 'getaddrinfo' && hostname === env.HOST) {
    return { code: 'address_unavailable', message: `Cannot listen on ${hostname ?? ''} (${reason}): check HOST` }
  }
  if (syscall === 'listen' || syscall === 'bind') {
    const place = `${address ?? ''}:${String(port)}`
    const message =
      code === 'EADDRINUSE'
        ? `Cannot listen on ${place}, which is in use: stop what listens there or set another PORT or METRICS_PORT`
        : `Cannot listen on ${place} (${reason}): check HOST, PORT and METRICS_PORT`
    return { code: 'address_unavailable', message }
  }
  if (syscall === undefined || path === undefined) return undefined
  const message = `Cannot use ${path} (${syscall}: ${reason}): check that the path exists and who may read and write it`
  return { code: 'file_unavailable', message }
}

function describeDatabase(error: unknown, env: NodeJS.ProcessEnv): Failure | undefined {
  const code = driverError(error)?.code
  const server = `PostgreSQL at ${readAddress(env.DATABASE_URL)}`
  if (typeof code === 'string' && code.startsWith('28')) {
    const message = `${server} refused the login: check user and password in DATABASE_URL`
    return { code: 'database_refused', message }
  }
  if (code === '3D000') {
    const message = `${server} has no such database: create it, or check DATABASE_URL`
    return { code: 'database_missing', message }
  }
  if (code === '42501') {
    const message = 'The database role may not do that: grant it the right, or use its owner in DATABASE_URL'
    return { code: 'database_permission_denied', message }
  }
  if (!isUnavailable(error)) return undefined
  const reason = typeof code === 'string' ? code : error instanceof DatabaseBusy ? 'no answer in time' : 'no answer'
  const message = `Cannot reach ${server} (${reason}): check DATABASE_URL, and that the server runs`
  return { code: 'database_unavailable', message }
}

/** The host and port of a database's URL, never its password. */
function readAddress(url = ''): string {
  if (!URL.canParse(url)) return 'the host in DATABASE_URL'
  const { hostname, port } = new URL(url)
  return `${hostname || 'localhost'}:${port || '5432'}`
}

/** A fault of ours. Of errors from the database only what holds no values is told. */
function describeUnexpected(error: unknown, env: NodeJS.ProcessEnv): Failure {
  const details = describeError(error) as { type: string; message?: string; code?: unknown }
  if (env.LOG_LEVEL === 'debug' || env.LOG_LEVEL === 'trace') {
    return { code: 'internal_error', message: JSON.stringify(details) }
  }
  const what = details.message?.split('\n', 1)[0] ?? [details.type, details.code].join(' ')
  return { code: 'internal_error', message: `${what} (unexpected: LOG_LEVEL=debug tells where)` }
}
