import t from 'tap'
import { countPendingMigrations } from '../../src/database/migrate.ts'
import { openDatabase } from '../../src/database/open.ts'
import { call, registerPerson } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { createDatabase, createFolder, sql, startService } from '../support/service.ts'

const empty = async (env: Record<string, string>) => {
  await sql({ env }, 'drop schema public cascade')
  await sql({ env }, 'drop schema drizzle cascade')
  await sql({ env }, 'create schema public')
}

await t.test('four instances that start at once on an empty database all come up, and migrate it once', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t), KEYS_DIR: createFolder(t) }
  await empty(env)
  const services = await Promise.all(Array.from({ length: 4 }, () => startService(t, env)))
  for (const service of services) t.equal((await call(service, 'GET /health/ready')).status, 200)
  const migrated = services.filter(({ log }) => log.some((line) => line.includes('database schema brought up to date')))
  t.equal(migrated.length, 1)
  const keys = services.filter(({ log }) => log.some((line) => line.includes('keys generated')))
  t.equal(keys.length, 1, 'and one of them made the key')
  const { token } = await registerPerson(services[0]!)
  for (const service of services) t.equal((await call(service, 'GET /auth/me', { bearer: token })).status, 200)
})

await t.test('an instance whose migrations are not all applied is not ready', async (t) => {
  const service = await startService(t)
  await sql(service, 'update drizzle.__drizzle_migrations set created_at = created_at - 1')
  const behind = await call(service, 'GET /health/ready')
  t.equal(behind.status, 503)
  t.match(behind.body, { code: 'unavailable' })
  t.equal((await call(service, 'GET /health/live')).status, 200)
  await sql(service, 'update drizzle.__drizzle_migrations set created_at = created_at + 1')
  await eventually(t, 'ready again', async () => (await call(service, 'GET /health/ready')).status === 200)
})

await t.test('however many ask whether the service is ready, the database is asked once a second', async (t) => {
  const service = await startService(t)
  const asked = async () => {
    await sql(service, 'select pg_stat_force_next_flush()')
    const [row] = await sql<{ reads: string }>(
      service,
      `select seq_tup_read as reads from pg_stat_all_tables where relname = '__drizzle_migrations'`
    )
    return Number(row?.reads)
  }
  const [{ migrations } = { migrations: 0 }] = await sql<{ migrations: number }>(
    service,
    'select count(*)::int as migrations from drizzle.__drizzle_migrations'
  )
  t.equal((await call(service, 'GET /health/ready')).status, 200)
  const before = await asked()
  const started = performance.now()
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(service, 'GET /health/ready')))
    t.same([...new Set(answers.map(({ status }) => status))], [200])
  }
  const seconds = (performance.now() - started) / 1000
  const times = ((await asked()) - before) / migrations
  t.ok(times <= Math.ceil(seconds) + 1, `200 requests in ${seconds.toFixed(1)} s asked it ${String(times)} times`)
  service.app.lifecycle.stopping = true
  t.equal((await call(service, 'GET /health/ready')).status, 503, 'that it stops is told at once')
})

await t.test('counts every migration as pending in a database that has seen none', async (t) => {
  const url = await createDatabase(t)
  const database = await openDatabase({ url, listenUrl: url, poolSize: 1 })
  t.teardown(() => database.close())
  t.equal(await countPendingMigrations(database.db), 0)
  await empty({ DATABASE_URL: url })
  t.ok((await countPendingMigrations(database.db)) > 0)
})

await t.test('a migrated database serves a role that may change no schema', async (t) => {
  const service = await startService(t)
  const role = `limited_${String(process.pid)}`
  await sql(service, `create role ${role} login`)
  t.teardown(() => sql(service, `drop owned by ${role}`).then(() => sql(service, `drop role ${role}`)))
  await sql(service, 'revoke create on schema public from public')
  await sql(service, `grant usage on schema public, drizzle to ${role}`)
  await sql(service, `grant select, insert, update, delete on all tables in schema public to ${role}`)
  await sql(service, `grant select on all tables in schema drizzle to ${role}`)
  const url = new URL(service.env.DATABASE_URL!)
  url.username = role
  url.password = ''
  const limited = await startService(t, { ...service.env, DATABASE_URL: url.href })
  t.equal((await call(limited, 'GET /health/ready')).status, 200)
  const { token } = await registerPerson(limited)
  t.equal((await call(limited, 'GET /auth/me', { bearer: token })).status, 200)
  await t.rejects(sql(limited, 'create table public.other ()'))
  await limited.close()
})
