import { type Connection, openConnection, type TypeMaps } from './connection.ts'
import { DatabaseBusy } from './errors.ts'

export interface PoolOptions {
  url: string
  size: number
  types: TypeMaps
  /** Milliseconds that a call takes at most, the wait for a connection included. */
  deadline: number
  /** Milliseconds that a call waits for a connection at most. */
  acquireTimeout: number
}

interface Waiter {
  resolve: (connection: Connection) => void
  reject: (error: Error) => void
}

export const maxWaitingPerConnection = 20

// Milliseconds.
const pauseAfterRefusal = 100

/**
 * Connections that one call at a time has for itself. postgres.js has a pool, too, but one that waits without limit,
 * gives calls to connections that no longer answer, and brings the process down when a connection is lost in a
 * transaction. Here a call that fails on its connection, or is late, takes this one connection with it and no other.
 */
export function createPool(options: PoolOptions) {
  const { size, deadline, acquireTimeout } = options
  const connections = new Set<Connection>()
  const idle: Connection[] = []
  const waiting = new Set<Waiter>()
  let refusedAt = -Infinity

  function use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const started = performance.now()
    const free = take()
    if (free !== undefined) return run(free, work, deadline)
    return wait().then((connection) => run(connection, work, deadline - (performance.now() - started)))
  }

  function take(): Connection | undefined {
    const connection = idle.pop()
    if (connection !== undefined) return connection
    return connections.size < size && !refusedLately() ? open() : undefined
  }

  function open(): Connection {
    const connection = openConnection({
      ...options,
      onLost() {
        connections.delete(connection)
        const place = idle.indexOf(connection)
        if (place >= 0) idle.splice(place, 1)
      }
    })
    connections.add(connection)
    return connection
  }

  function wait(): Promise<Connection> {
    if (connections.size === 0) return Promise.reject(new DatabaseBusy('The database was out of reach a moment ago'))
    if (waiting.size >= size * maxWaitingPerConnection) {
      return Promise.reject(new DatabaseBusy('Too many calls wait for a connection to the database'))
    }
    return new Promise((resolve, reject) => {
      const waiter = {
        resolve(connection: Connection) {
          clearTimeout(timer)
          resolve(connection)
        },
        reject(error: Error) {
          clearTimeout(timer)
          reject(error)
        }
      }
      const timer = setTimeout(() => {
        waiting.delete(waiter)
        reject(new DatabaseBusy(`No connection to the database was free within ${String(acquireTimeout)} ms`))
      }, acquireTimeout)
      waiting.add(waiter)
    })
  }

  function run<T>(connection: Connection, work: (connection: Connection) => Promise<T>, time: number): Promise<T> {
    return new Promise((resolve, reject) => {
      // A live server has ended the statement by itself by now: this connection leads nowhere.
      const timer = setTimeout(() => {
        connection.destroy()
        finish()
        reject(new DatabaseBusy(`The database did not answer within ${String(deadline)} ms`))
      }, time)
      let finished = false
      const finish = () => {
        if (finished) return
        finished = true
        clearTimeout(timer)
        release(connection)
      }
      work(connection).then(
        (value) => {
          finish()
          resolve(value)
        },
        (error: unknown) => {
          finish()
          reject(error instanceof Error ? error : new Error('The driver threw no error', { cause: error }))
        }
      )
    })
  }

  function release(connection: Connection): void {
    if (connection.isLost || connection.isOld()) {
      if (!connection.hasAnswered) refusedAt = performance.now()
      connection.destroy()
      connections.delete(connection)
    } else if (waiting.size === 0) {
      idle.push(connection)
      return
    }
    for (const waiter of waiting) {
      const next = connection.isLost ? take() : connection
      if (next === undefined) break
      waiting.delete(waiter)
      waiter.resolve(next)
      return
    }
    // Nothing that could come free is left to wait for.
    if (connections.size === 0) failAll(new DatabaseBusy('The database is out of reach'))
  }

  function failAll(error: Error): void {
    for (const waiter of waiting) waiter.reject(error)
    waiting.clear()
  }

  const refusedLately = () => performance.now() - refusedAt < pauseAfterRefusal

  return {
    /**
     * Gives `work` a connection of its own.
     * @throws {DatabaseBusy} when none comes free or the work is not done in time: whether it was done is not known then
     */
    use,

    async close(): Promise<void> {
      failAll(new DatabaseBusy('The database is being closed'))
      await Promise.all(Array.from(connections, (connection) => connection.end()))
    }
  }
}
