import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import type { TypeMaps } from './connection.ts'
import type { Database } from './database.ts'
import { listenOnPostgres } from './listen.ts'
import type { DatabaseOptions } from '../config/config.ts'
import { createPool } from './pool.ts'
import * as schema from './schema/index.ts'
import { asQuery, runTransaction, type Transaction } from './transaction.ts'

// Milliseconds. More than the server gives a statement, and with the way there and back under three seconds.
const deadline = 2500
const acquireTimeout = 1000

/** Any number, the same for every instance: the key of the advisory lock that start-up work holds. */
const startLock = 4715_3362

export function openPostgres({ url, listenUrl, poolSize }: DatabaseOptions): Database {
  const types: TypeMaps = { parsers: {}, serializers: {} }
  const pool = createPool({ url, size: poolSize, types, deadline, acquireTimeout })
  // Drizzle calls these three and no more of a client, and writes into the first.
  const client = {
    options: types,
    unsafe: (query: string, parameters: unknown[]) =>
      asQuery((form) => pool.use((connection) => connection.send(query, parameters, form))),
    begin: <T>(work: (transaction: Transaction) => Promise<T>) =>
      pool.use((connection) => runTransaction(connection, work))
  }
  return {
    db: drizzle({ client: client as unknown as postgres.Sql, schema }),
    exclusively: (work) => withAdvisoryLock(url, work),
    async migrate(migrationsFolder) {
      const connection = postgres(url, { max: 1, onnotice: ignore })
      try {
        await migrate(drizzle({ client: connection }), { migrationsFolder })
      } finally {
        await connection.end({ timeout: 1 })
      }
    },
    listen: async (channel, listener) => listenOnPostgres(listenUrl, channel, listener),
    close: () => pool.close()
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

const ignore = () => undefined
