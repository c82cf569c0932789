import type { Connection } from './connection.ts'

type Form = 'objects' | 'values'

/** A query as Drizzle knows it from postgres.js: sent when it is awaited. */
export interface Query {
  then: Promise<unknown>['then']
  values: () => Promise<unknown>
}

export const asQuery = (send: (form: Form) => Promise<unknown>): Query => ({
  then: (...handlers) => send('objects').then(...handlers),
  values: () => send('values')
})

/** The part of postgres.js's transactions that Drizzle calls. */
export interface Transaction {
  unsafe: (query: string, parameters?: unknown[]) => Query
  savepoint: <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>
}

/** Runs `work` in a transaction: committed when it resolves, rolled back when it throws, gone when the connection is. */
export async function runTransaction<T>(connection: Connection, work: (tx: Transaction) => Promise<T>): Promise<T> {
  let isOpen = true
  let savepoints = 0

  const transaction: Transaction = {
    unsafe: (query, parameters) =>
      asQuery(async (form) => {
        // The connection may be another call's by now.
        if (!isOpen) throw new Error('The transaction has ended')
        return connection.send(query, parameters, form)
      }),
    async savepoint(nested) {
      savepoints += 1
      const name = `nested_${String(savepoints)}`
      await connection.send(`savepoint ${name}`)
      try {
        const value = await nested(transaction)
        await connection.send(`release savepoint ${name}`)
        return value
      } catch (error) {
        if (!connection.isLost) await connection.send(`rollback to savepoint ${name}`)
        throw error
      }
    }
  }

  await connection.send('begin')
  try {
    const value = await work(transaction)
    isOpen = false
    // PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK, and with no error.
    const { command } = await connection.send('commit')
    if (command !== 'COMMIT') throw new Error('A statement of the transaction failed and its error was swallowed')
    return value
  } catch (error) {
    isOpen = false
    // Where even this fails, be it because it was cancelled, the connection goes, and the transaction with it.
    if (!connection.isLost) {
      await connection.send('rollback').catch(() => {
        connection.destroy()
      })
    }
    throw error
  }
}
