import { connect, type Socket } from 'node:net'
import t from 'tap'
import { call } from '../support/client.ts'
import { type Service, startService } from '../support/service.ts'

/** The service's own limits, thirty times as strict. */
const timeouts = { headers: 330, request: 330, inactivity: 500, keepAlive: 2400, checkInterval: 30 }

interface Connection {
  socket: Socket
  received: string
  closed: Promise<void>
}

function open(service: Service, bytes = ''): Promise<Connection> {
  const { hostname, port } = new URL(service.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    const connection: Connection = {
      socket,
      received: '',
      closed: new Promise((closed) =>
        socket.once('close', () => {
          closed()
        })
      )
    }
    socket.on('data', (chunk) => (connection.received += chunk.toString('latin1')))
    socket.on('error', reject)
    socket.once('connect', () => {
      socket.write(bytes)
      socket.off('error', reject).on('error', () => undefined)
      resolve(connection)
    })
  })
}

/** Sends a byte again and again until the connection is closed. */
function drip({ socket }: Connection, byte: string): void {
  const timer = setInterval(() => socket.write(byte), 50)
  socket.once('close', () => {
    clearInterval(timer)
  })
}

await t.test('slow clients', async (t) => {
  const service = await startService(t, {}, 'postgres', { timeouts })
  const head = 'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n'

  await t.test('are cut when their headers do not end, with the others served meanwhile', async (t) => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => open(service, 'GET / HTTP/1.1\r\nHost: x\r\nA: ')))
    for (const connection of slow) drip(connection, 'x')
    t.equal((await call(service, 'GET /health/ready')).status, 200)
    await Promise.all(slow.map(({ closed }) => closed))
    for (const { received } of slow) {
      if (!received.startsWith('HTTP/1.1 408 ')) t.fail(received)
    }
    t.match(slow[0]!.received, '"code":"request_timeout"')
  })

  await t.test('are cut when their body does not end', async (t) => {
    const slow = await Promise.all(Array.from({ length: 200 }, () => open(service, head)))
    for (const connection of slow) drip(connection, ' ')
    t.equal((await call(service, 'GET /health/ready')).status, 200)
    await Promise.all(slow.map(({ closed }) => closed))
    for (const { received } of slow) {
      if (!received.startsWith('HTTP/1.1 408 ')) t.fail(received)
    }
  })

  await t.test('are cut when they send nothing at all', async (t) => {
    const idle = await Promise.all(Array.from({ length: 500 }, () => open(service)))
    t.equal((await call(service, 'GET /health/ready')).status, 200)
    await Promise.all(idle.map(({ closed }) => closed))
    t.pass('every idle connection was closed')
  })

  await t.test('are cut when they ask and ask and never read', async (t) => {
    const deaf = await open(service)
    deaf.socket.pause()
    const request = 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'
    for (let count = 0; count < 2000; count++) deaf.socket.write(request)
    const before = process.memoryUsage().rss
    await connectionsLeft(service, 0)
    const growth = (process.memoryUsage().rss - before) / 1024 ** 2
    t.ok(growth < 100, `the answers that nobody reads took ${String(Math.round(growth))} MiB`)
    deaf.socket.destroy()
    t.equal((await call(service, 'GET /health/ready')).status, 200)
  })

  await t.test('may wait between two requests', async (t) => {
    const patient = await open(service, 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 2 * timeouts.inactivity))
    patient.socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await patient.closed
    t.equal(patient.received.match(/HTTP\/1\.1 200 OK/g)?.length, 2)
  })
})

/** Resolves once the service has no more connections than that. */
async function connectionsLeft(service: Service, most: number): Promise<void> {
  const count = () =>
    new Promise<number>((resolve, reject) => {
      service.app.server.getConnections((error, number) => {
        if (error) reject(error)
        else resolve(number)
      })
    })
  while ((await count()) > most) await new Promise((resolve) => setTimeout(resolve, 50))
}

await t.test('unless told otherwise a request has ten seconds, and a silent connection fifteen', async (t) => {
  const { app } = await startService(t, {}, 'embedded')
  const { headersTimeout, requestTimeout, timeout, keepAliveTimeout } = app.server
  t.same(
    { headersTimeout, requestTimeout, timeout },
    { headersTimeout: 10_000, requestTimeout: 10_000, timeout: 15_000 }
  )
  t.ok(keepAliveTimeout > 60_000, 'longer than the proxies before it keep a connection')
})
