import t from 'tap'
import { type Answer, call, registerPerson } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { startProxy } from '../support/proxy.ts'
import { type Service, startService } from '../support/service.ts'

const server = await startPostgres()
t.teardown(() => server.stop())

/** How long it takes until the service answers with the status, in milliseconds. */
async function timeUntil(status: number, ask: () => Promise<Answer>, limit = 20_000): Promise<number> {
  const start = Date.now()
  while (Date.now() - start < limit) {
    if ((await ask()).status === status) return Date.now() - start
  }
  throw new Error(`No ${String(status)} within ${String(limit)} ms`)
}

const isUnavailable = { status: 503, code: 'unavailable', detail: 'The database is unavailable' }

async function timed(ask: () => Promise<Answer>): Promise<{ answer: Answer; ms: number }> {
  const start = performance.now()
  const answer = await ask()
  return { answer, ms: performance.now() - start }
}

/** One request of every kind that needs the database. */
const databaseRequests = (service: Service, person: { username: string; password: string; token: string }) => [
  () => call(service, 'GET /auth/me', { bearer: person.token }),
  () => call(service, 'PATCH /auth/me', { bearer: person.token, json: { first_name: 'Ada' } }),
  () => call(service, 'POST /auth/login', { json: { username: person.username, password: person.password } }),
  () => call(service, 'GET /health/ready')
]

await t.test('answers 503 at once while the database server is stopped, and recovers by itself', async (t) => {
  const service = await startService(t, { DATABASE_URL: server.url })
  const person = await registerPerson(service)
  t.equal((await call(service, 'GET /authz/reader', { bearer: person.token })).status, 204)
  await server.halt()

  const requests = Array.from({ length: 25 }, () => databaseRequests(service, person)).flat()
  const answers = await Promise.all(requests.map(timed))
  for (const { answer } of answers) {
    if (answer.status !== 503) t.fail(`${String(answer.status)}: ${answer.text}`)
  }
  t.match(answers[0]?.answer.body, isUnavailable)
  t.equal(answers[0]?.answer.headers.get('retry-after'), '1')
  t.equal(answers[0]?.answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
  const slowest = Math.max(...answers.map(({ ms }) => ms))
  // As many that ask for nothing: what this machine takes for a hundred at once.
  const idle = await Promise.all(requests.map(() => timed(() => call(service, 'GET /health/live'))))
  t.same([...new Set(idle.map(({ answer }) => answer.status))], [200])
  const more = slowest - Math.max(...idle.map(({ ms }) => ms))
  t.ok(
    more < 3000,
    `the slowest of 100 at once took ${String(Math.round(more))} ms more than it takes without a database`
  )

  t.equal((await call(service, 'GET /.well-known/jwks.json')).status, 200)
  // Without notifications nobody knows what was revoked, so nobody is let in.
  t.equal((await call(service, 'GET /authz/reader', { bearer: person.token })).status, 503)

  await server.restart()
  const recovery = await timeUntil(200, () => call(service, 'GET /health/ready'))
  t.ok(recovery < 5000, `ready again after ${String(recovery)} ms`)
  t.equal((await call(service, 'GET /auth/me', { bearer: person.token })).status, 200)
})

await t.test(
  'answers 503 within three seconds while the database server is frozen, and is itself again after',
  async (t) => {
    const service = await startService(t, { DATABASE_URL: server.url })
    const person = await registerPerson(service)
    await server.freeze()
    let answers
    try {
      const requests = Array.from({ length: 10 }, () => databaseRequests(service, person)).flat()
      // Twice, since the second round finds no connection left that was once alive.
      answers = await Promise.all(requests.map(timed))
      answers.push(...(await Promise.all(requests.map(timed))))
      t.equal((await call(service, 'GET /health/live')).status, 200)
      t.equal((await call(service, 'GET /authz/reader', { bearer: person.token })).status, 503)
    } finally {
      server.thaw()
    }
    t.same([...new Set(answers.map(({ answer }) => answer.status))], [503])
    const slowest = Math.max(...answers.map(({ ms }) => ms))
    t.ok(slowest < 3500, `the slowest took ${String(Math.round(slowest))} ms`)

    const recovery = await timeUntil(200, () => call(service, 'GET /auth/me', { bearer: person.token }))
    t.ok(recovery < 3000, `normal again after ${String(recovery)} ms`)
    const after = await Promise.all(databaseRequests(service, person).map((request) => request()))
    t.same(
      after.map(({ status }) => status),
      [200, 200, 200, 200]
    )
  }
)

await t.test('gives up connections that the network has swallowed', async (t) => {
  const proxy = await startProxy(t, server.port)
  const url = new URL(server.url)
  url.port = String(proxy.port)
  const service = await startService(t, { DATABASE_URL: url.href, DATABASE_POOL_SIZE: '3' })
  const person = await registerPerson(service)
  const me = () => call(service, 'GET /auth/me', { bearer: person.token })
  await Promise.all([me(), me(), me(), me(), me(), me()])
  proxy.blackhole()

  const swallowed = await Promise.all([timed(me), timed(me), timed(me)])
  for (const { answer, ms } of swallowed) {
    t.equal(answer.status, 503)
    t.ok(ms < 5000, `${String(Math.round(ms))} ms`)
  }
  const recovery = await timeUntil(200, me)
  t.ok(recovery < 10_000, `over a new connection after ${String(recovery)} ms`)
})

await t.test('loses no more than the calls under way when the network cuts connections', async (t) => {
  const proxy = await startProxy(t, server.port)
  const url = new URL(server.url)
  url.port = String(proxy.port)
  const service = await startService(t, { DATABASE_URL: url.href, DATABASE_POOL_SIZE: '3' })
  const person = await registerPerson(service)
  const me = () => call(service, 'GET /auth/me', { bearer: person.token })
  for (let round = 0; round < 10; round++) {
    const answers = [me(), me(), me(), me()]
    proxy.cut()
    for (const { status } of await Promise.all(answers)) t.ok(status === 200 || status === 503, String(status))
    // Where a new connection was cut before the server answered on it, none is opened for a tenth of a second.
    await eventually(t, 'the next calls get through', async () => (await me()).status === 200)
  }
})
