/** The database did not answer in time, or too much already waits for it. */
export class DatabaseBusy extends Error {}

/** The embedded database cannot be opened; the message says what to do. */
export class EmbeddedDatabaseError extends Error {
  readonly reason: 'missing' | 'in use' | 'unusable'

  constructor(reason: EmbeddedDatabaseError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** The connection ended under a call; of a transaction nothing is kept, unless its end was on the way already. */
export class ConnectionLost extends Error {
  constructor() {
    super('The connection to the database was lost')
  }
}

interface DriverError {
  code?: unknown
  /** postgres.js and PGlite name the constraint differently. */
  constraint_name?: unknown
  constraint?: unknown
  routine?: unknown
}

// PostgreSQL, appendix A: connection exceptions, insufficient resources, operator intervention, system errors,
// a transaction to be tried again, a lock not granted in time, a standby; a login that the server refuses, a database
// that is gone or closed to connections.
const outOfReach = /^(08|28|3D|53|57|58)...$|^(40001|40P01|55000|55P03|25006)$/
const connectionLost =
  /^(ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|CONNECTION_|CONNECT_TIMEOUT|SASL_|AUTH_TYPE)/

/** Drizzle wraps what the driver threw; this is the driver's own error. */
export function driverError(error: unknown): DriverError | undefined {
  let cause = error
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause
  return cause instanceof Error ? (cause as DriverError) : undefined
}

/** Whether the fault lies with the database's being out of reach, so that the same request may succeed later. */
export function isUnavailable(error: unknown): boolean {
  const driver = driverError(error)
  if (driver instanceof DatabaseBusy || driver instanceof ConnectionLost) return true
  return typeof driver?.code === 'string' && (outOfReach.test(driver.code) || connectionLost.test(driver.code))
}

/** The name of the unique index that a statement ran into, if that is why it failed. */
export function violatedUniqueIndex(error: unknown): string | undefined {
  const driver = driverError(error)
  if (driver?.code !== '23505') return undefined
  const name = driver.constraint_name ?? driver.constraint
  return typeof name === 'string' ? name : undefined
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
