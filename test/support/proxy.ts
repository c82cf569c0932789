import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A TCP proxy between a service and its database that can lose connections the way networks do. */
export interface Proxy {
  port: number
  /** From now on nothing that arrives on the present connections is passed on, and nobody is told. */
  blackhole: () => void
  /** From now on what the service says is passed on, and a connection is cut when the database would answer. */
  loseAnswers: () => void
  /** Answers are passed on again. */
  restore: () => void
  /** Cuts the present connections. */
  cut: () => void
  /** Cuts them, and takes no more. */
  close: () => void
}

export async function startProxy(t: Test, target: number): Promise<Proxy> {
  const pairs = new Set<[Socket, Socket]>()
  let losesAnswers = false
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    const pair: [Socket, Socket] = [client, upstream]
    pairs.add(pair)
    client.pipe(upstream)
    upstream.on('data', () => {
      if (losesAnswers) client.resetAndDestroy()
    })
    upstream.pipe(client)
    for (const socket of pair) {
      socket
        .on('error', () => undefined)
        .on('close', () => {
          pairs.delete(pair)
          for (const other of pair) other.destroy()
        })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const [client] of pairs) client.resetAndDestroy()
  }
  const close = () => {
    server.close()
    cut()
  }
  t.teardown(close)
  return {
    port: (server.address() as { port: number }).port,
    blackhole: () => {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream)
        upstream.unpipe(client)
        // What arrives is read, so that the sender's kernel sees it acknowledged.
        client.on('data', () => undefined)
        upstream.on('data', () => undefined)
      }
    },
    loseAnswers: () => {
      losesAnswers = true
    },
    restore: () => {
      losesAnswers = false
    },
    cut,
    close
  }
}
