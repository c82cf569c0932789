import { connect, type Socket } from 'node:net'
import postgres from 'postgres'
import { ConnectionLost } from './errors.ts'

/** How the driver turns parameters and columns of a type, by its number, into text and back. */
export interface TypeMaps {
  parsers: Record<number, unknown>
  serializers: Record<number, unknown>
}

export interface ConnectionOptions {
  url: string
  types: TypeMaps
  /** When the connection can no longer be used, whichever side ended it. */
  onLost: () => void
}

export type Connection = ReturnType<typeof openConnection>

/** What the driver hands to the maker of its sockets. */
interface Target {
  host: string[]
  port: number[]
  path: string | false
}

// Milliseconds. The server gives up first, so that a statement that the client has left behind does not live on. It looks
// for deadlocks after a second (its `deadlock_timeout`), and what is in one is tried again.
const lockTimeout = 1500
export const statementTimeout = 2000
const idleInTransactionTimeout = 3000

// Seconds.
const connectTimeout = 2

// Milliseconds: an old connection does not see a new password, host or setting of the server.
const lifetime = 30 * 60 * 1000

/**
 * One connection, made with the first statement and never made anew: a postgres.js client for a single use.
 * What is lost stays lost, so that no statement of a transaction is ever sent outside of it.
 */
export function openConnection({ url, types, onLost }: ConnectionOptions) {
  const retireAt = Date.now() + lifetime * (1 + Math.random())
  let socket: Socket | undefined
  let isLost = false
  let hasAnswered = false

  const client = postgres(url, {
    max: 1,
    connect_timeout: connectTimeout,
    max_lifetime: null,
    // A connection that is lost while the driver asks for types is a rejection that nobody can handle.
    fetch_types: false,
    onnotice: ignore,
    onclose: lose,
    socket: createSocket,
    connection: {
      application_name: 'gatehouse',
      statement_timeout: statementTimeout,
      lock_timeout: lockTimeout,
      idle_in_transaction_session_timeout: idleInTransactionTimeout
    }
  } as postgres.Options<Record<string, postgres.PostgresType>>)
  Object.assign(client.options.parsers, types.parsers)
  Object.assign(client.options.serializers, types.serializers)

  function createSocket({ host, port, path }: Target): Socket {
    if (socket !== undefined) {
      lose()
      throw new ConnectionLost()
    }
    socket = path === false ? connect(port[0] ?? 0, host[0]) : connect(path)
    // The driver hears of the loss by `close`, a moment later, and forgets what it is given in between.
    socket.once('error', lose)
    // The driver takes the name for TLS from here.
    return Object.assign(socket, { host: host[0], port: port[0] })
  }

  function lose(): void {
    if (isLost) return
    isLost = true
    onLost()
  }

  function destroy(): void {
    lose()
    socket?.destroy()
    client.end({ timeout: 0 }).catch(ignore)
  }

  /** @returns rows as objects, or as arrays of values */
  async function send(query: string, parameters: unknown[] = [], form: 'objects' | 'values' = 'objects') {
    if (isLost) throw new ConnectionLost()
    try {
      // Drizzle leaves statements unnamed, which costs a second round trip and a plan for each.
      const pending = client.unsafe(query, parameters as never[], { prepare: true })
      // Asking for values changes the query itself.
      if (form === 'values') void pending.values()
      // The driver counts the rows of a result, and after an error in its midst goes on counting in the next one, which
      // then begins with holes. Rows that are taken one by one are not counted.
      const rows: postgres.Row[] = []
      const result = (await pending.forEach((row) => rows.push(row))) as unknown as postgres.RowList<postgres.Row[]>
      for (const row of rows) result.push(row)
      hasAnswered = true
      return result
    } catch (error) {
      // After an ERROR the server goes on; whatever else it is, the connection is in an unknown state.
      if ((error as { severity?: unknown }).severity === 'ERROR') hasAnswered = true
      else lose()
      throw error
    }
  }

  return {
    send,
    destroy,
    end: () => client.end({ timeout: 2 }).finally(() => socket?.destroy()),
    isOld: () => Date.now() >= retireAt,
    get isLost() {
      return isLost
    },
    /** Whether the server has taken it. */
    get hasAnswered() {
      return hasAnswered
    }
  }
}

const ignore = () => undefined
