import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import type { Database } from './database.ts'
import type { DatabaseOptions } from './open.ts'
import { DatabaseBusy } from './errors.ts'
import { listenOnPostgres } from './listen.ts'
import * as schema from './schema/index.ts'

// Milliseconds. The server gives up first, so that a statement that the client has left behind does not live on.
const lockTimeout = 1000
const statementTimeout = 2000
const deadline = 3000

/** Any number, the same for every instance: the key of the advisory lock that start-up work holds. */
const startLock = 4715_3362

export function openPostgres(options: DatabaseOptions): Database {
  const client = guardedClient(options)
  return {
    db: drizzle({ client: client.facade, schema }),
    exclusively: (work) => withAdvisoryLock(options.url, work),
    async migrate(migrationsFolder) {
      const connection = postgres(options.url, { max: 1, onnotice: ignore })
      try {
        await migrate(drizzle({ client: connection }), { migrationsFolder })
      } finally {
        await connection.end({ timeout: 1 })
      }
    },
    listen: async (channel, listener) => listenOnPostgres(options.listenUrl, channel, listener),
    close: () => client.end()
  }
}

async function withAdvisoryLock<T>(url: string, work: () => Promise<T>): Promise<T> {
  const connection = postgres(url, { max: 1, connect_timeout: 5, connection: { lock_timeout: 60_000 } })
  try {
    await connection`select pg_advisory_lock(${startLock})`
    return await work()
  } finally {
    await connection.end({ timeout: 1 })
  }
}

/**
 * postgres.js waits without limit, for a connection as for an answer, and `cancel()` does not free a query whose
 * server is frozen. This client gives each call a deadline, bounds how many wait, and takes a new pool
 * when the server has answered nothing for as long as the deadline.
 */
function guardedClient({ url, poolSize }: { url: string; poolSize: number }) {
  const mostInFlight = poolSize * 20
  let client = connect(url, poolSize)
  let inFlight = 0
  let lastAnswer = Date.now()

  function guard<T>(start: () => PromiseLike<T>): Promise<T> {
    if (inFlight >= mostInFlight) return Promise.reject(new DatabaseBusy('Too many queries wait for the database'))
    inFlight += 1
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new DatabaseBusy(`The database did not answer within ${String(deadline)} ms`))
        if (Date.now() - lastAnswer >= deadline) renew()
      }, deadline)
      const settle = () => {
        clearTimeout(timer)
        inFlight -= 1
        lastAnswer = Date.now()
      }
      start().then(
        (value) => {
          settle()
          resolve(value)
        },
        (error: unknown) => {
          settle()
          reject(error instanceof Error ? error : new Error('The driver threw no error', { cause: error }))
        }
      )
    })
  }

  function renew() {
    const stuck = client
    client = connect(url, poolSize)
    Object.assign(client.options.parsers, stuck.options.parsers)
    Object.assign(client.options.serializers, stuck.options.serializers)
    lastAnswer = Date.now()
    stuck.end({ timeout: 0 }).catch(ignore)
  }

  const facade = {
    options: client.options,
    unsafe(query: string, parameters: never[]) {
      // Drizzle leaves statements unnamed, which costs a second round trip and a plan for each.
      const pending = () => client.unsafe(query, parameters, { prepare: true })
      return {
        then: (...handlers: Parameters<Promise<unknown>['then']>) => guard(pending).then(...handlers),
        values: () => guard(() => pending().values())
      }
    },
    begin: <T>(work: (transaction: postgres.TransactionSql) => Promise<T>) =>
      guard(() => client.begin(work) as Promise<T>)
  }
  return {
    // Drizzle calls these three and no more of a client.
    facade: facade as unknown as postgres.Sql,
    end: () => client.end({ timeout: 2 })
  }
}

const connect = (url: string, poolSize: number) =>
  postgres(url, {
    max: poolSize,
    connect_timeout: 2,
    backoff: () => 0.1 + Math.random() * 0.2,
    onnotice: ignore,
    connection: {
      application_name: 'gatehouse',
      statement_timeout: statementTimeout,
      lock_timeout: lockTimeout,
      idle_in_transaction_session_timeout: deadline
    }
  })

const ignore = () => undefined
