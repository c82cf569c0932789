import postgres from 'postgres'
import t from 'tap'
import { call, registerPerson } from '../support/client.ts'
import { sql, startService } from '../support/service.ts'

await t.test('gives no wrong answer and does not fall over while its connections are terminated', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  // Somebody else logs in, so that the bound on sessions does not end the one that asks.
  const { username, password } = await registerPerson(service)
  const credentials = { username, password }
  const admin = postgres(service.env.DATABASE_URL ?? '', { max: 1 })
  t.teardown(() => admin.end())
  const seen = new Map<string, number>()
  let ended = false

  async function keepAsking(ask: () => Promise<{ status: number; body: { username?: string; code?: string } }>) {
    while (!ended) {
      const { status, body } = await ask()
      const outcome = status === 200 ? `200 ${body.username ?? 'token'}` : `${String(status)} ${body.code ?? ''}`
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
    }
  }
  const load = [
    ...Array.from({ length: 6 }, () => keepAsking(() => call(service, 'GET /auth/me', { bearer: person.token }))),
    ...Array.from({ length: 6 }, () => keepAsking(() => call(service, 'POST /auth/login', { json: credentials })))
  ]
  for (let round = 0; round < 15; round++) {
    await admin`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'gatehouse' and datname = current_database() order by random() limit 2`
    await call(service, 'GET /auth/me', { bearer: person.token })
    await call(service, 'POST /auth/login', { json: credentials })
  }
  ended = true
  await Promise.all(load)

  t.same(
    [...seen.keys()].filter((outcome) => ![`200 ${person.username}`, '200 token', '503 unavailable'].includes(outcome)),
    []
  )
  const refused = seen.get('503 unavailable') ?? 0
  const served = (seen.get(`200 ${person.username}`) ?? 0) + (seen.get('200 token') ?? 0)
  t.ok(served > 10 * refused, `${String(served)} served, ${String(refused)} refused`)
  t.equal((await call(service, 'GET /auth/me', { bearer: person.token })).status, 200)
})

await t.test('waits a moment for a lock and answers 503; when the lock is gone all is well', async (t) => {
  const service = await startService(t, { DATABASE_POOL_SIZE: '2' })
  const person = await registerPerson(service)
  const me = () => call(service, 'GET /auth/me', { bearer: person.token })
  const admin = postgres(service.env.DATABASE_URL ?? '', { max: 1 })
  t.teardown(() => admin.end())

  await admin.begin(async (locking) => {
    await locking`lock table users in access exclusive mode`
    const start = performance.now()
    const alone = await me()
    const took = performance.now() - start
    const answers = [alone, ...(await Promise.all([me(), me(), me(), me(), me(), me()]))]
    for (const { status, body, headers } of answers) {
      t.equal(status, 503)
      t.match(body, { code: 'unavailable' })
      t.equal(headers.get('retry-after'), '1')
    }
    t.ok(took > 900, 'having waited for it')
  })
  t.equal((await me()).status, 200)
  t.same(await sql(service, "select 1 from pg_locks where relation = 'users'::regclass and not granted"), [])
})

await t.test('what finds too much before it is 503, and when the lock is gone all is well', async (t) => {
  const service = await startService(t, { DATABASE_POOL_SIZE: '1' })
  const person = await registerPerson(service)
  const listSessions = async () => (await call(service, 'GET /auth/sessions', { bearer: person.token })).status
  const admin = postgres(service.env.DATABASE_URL ?? '', { max: 1 })
  t.teardown(() => admin.end())

  await admin.begin(async (locking) => {
    await locking`lock table sessions in access exclusive mode`
    const answers = await Promise.all(Array.from({ length: 60 }, listSessions))
    t.same([...new Set(answers)], [503])
  })
  t.equal(await listSessions(), 200, 'and nothing is left in the queue')
})
