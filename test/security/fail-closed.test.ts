import postgres from 'postgres'
import t from 'tap'
import { call, logIn, registerPerson } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { operationsOf } from '../support/operations.ts'
import { readShared } from '../support/postgres-server.ts'
import { type Service, sql, startService } from '../support/service.ts'

/** Takes the database away under the service, as its operator may. @returns what gives it back */
async function takeDatabaseAway(service: Service): Promise<() => Promise<void>> {
  const name = new URL(service.env.DATABASE_URL ?? '').pathname.slice(1)
  const admin = postgres(readShared().adminUrl, { max: 1, onnotice: () => undefined })
  await admin.unsafe(`alter database ${name} allow_connections false`)
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`
  return async () => {
    await admin.unsafe(`alter database ${name} allow_connections true`)
    await admin.end()
  }
}

await t.test('without its database the service lets nobody in', async (t) => {
  const service = await startService(t, { RATE_LIMIT: 'on' })
  const person = await registerPerson(service)
  await sql(service, 'update users set is_admin = true where id = $1', [person.id])
  const bearer = await logIn(service, person)
  const giveBack = await takeDatabaseAway(service)

  await t.test('guarded routes answer 503, and none of them answers yes', async (t) => {
    await eventually(
      t,
      'the loss is noticed',
      async () => (await call(service, 'GET /authz', { bearer })).status === 503
    )
    for (const { name, request, guarded, body } of await operationsOf(service)) {
      if (!guarded) continue
      const answer = await call(service, request, { bearer, ...(body !== undefined && { json: {} }) })
      t.match([answer.status, answer.body], [503, { code: 'unavailable' }], name)
      t.match(answer.headers.get('retry-after'), /^\d+$/, name)
      t.notMatch([...answer.headers.keys()], [/^x-auth-request/])
    }
  })

  await t.test('a login, a registration and a refresh answer 503 as well', async (t) => {
    const { username, email, password } = person
    const login = await call(service, 'POST /auth/login', { json: { username, password } })
    const registration = await call(service, 'POST /auth/registration', { json: { username, email, password } })
    t.strictSame([login.status, registration.status], [503, 503])
    t.strictSame([login.cookies, registration.cookies], [[], []])
    t.notMatch(`${login.text}${registration.text}`, /allow_connections|gatehouse_test|database ".*"|at .*\.ts/)
  })

  await t.test('a forged token is refused, with or without a database', async (t) => {
    for (const request of ['GET /authz', 'GET /authz/admin', 'GET /auth/me'] as const) {
      t.equal((await call(service, request, { bearer: `${bearer}x` })).status, 401, request)
      t.equal((await call(service, request)).status, 401, request)
    }
  })

  await giveBack()
  await eventually(
    t,
    'it is back by itself',
    async () => (await call(service, 'GET /auth/me', { bearer })).status === 200
  )
})
