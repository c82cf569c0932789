import t from 'tap'
import { call, registerPerson, startSession } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { kinds, sql, startService, type Service } from '../support/service.ts'

const password = 'a long and quiet evening'

const register = (service: Service, username: string) =>
  call(service, 'POST /auth/registration', { json: { username, email: `${username}@example.com`, password } })

const names = async (service: Service) =>
  (await sql<{ username: string }>(service, 'select username from users order by username')).map(
    ({ username }) => username
  )

const passDays = (service: Service, days: number) =>
  sql(service, `update users set created_at = created_at - interval '${String(days)} days'`)

for (const kind of kinds) {
  await t.test(`an account that nobody has verified or logged in to expires, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const days = 30
    const { db } = service.app.database
    const run = (query: string) => db.execute(query)
    const passed = (days: number) => run(`update users set created_at = created_at - interval '${String(days)} days'`)
    const admin = await registerPerson(service, 'admin')
    await run('update users set last_login_at = null, email_verified = true')
    const user = await registerPerson(service)
    await startSession(service, user)
    for (const username of ['squatter', 'verified', 'changed', 'imported', 'author', 'readdressed']) {
      t.equal((await register(service, username)).status, 201)
    }
    const idOf = (username: string) => `(select id from users where username = '${username}')`
    await run(`update users set email_verified = true where username = 'verified'`)
    await run(`update users set is_author = true where username = 'author'`)
    await run(
      `update audit_events set type = 'user.imported' where type = 'user.registered' and user_id = ${idOf('imported')}`
    )
    await run(`insert into audit_events (type, user_id, details)
       values ('user.email_changed', ${idOf('readdressed')}, '{"from":"a@example.com","to":"b@example.com"}'),
       ('user.email_changed', ${idOf('changed')}, '{"from":"Changed@example.com","to":"changed@example.com"}')`)
    await passed(29)
    t.equal(await service.app.operations.expireAccounts(days), 0, 'not before its time')
    await passed(2)
    const [one, other] = await Promise.all([
      service.app.operations.expireAccounts(days),
      service.app.operations.expireAccounts(days)
    ])
    t.equal(one + other, 2, 'each once, whichever instance sweeps')
    t.same(
      (await db.query.users.findMany()).map(({ username }) => username).sort(),
      [admin.username, user.username, 'author', 'imported', 'readdressed', 'verified'].sort(),
      'users who were verified, logged in, were created by somebody else or given a role stay'
    )
    t.equal((await register(service, 'squatter')).status, 201, 'name and address are free')
    const events = await db.query.auditEvents.findMany({ orderBy: ({ id }) => id })
    t.same(
      events.map(({ type }) => type).filter((type) => type === 'user.expired' || type === 'user.deleted'),
      ['user.deleted', 'user.expired', 'user.deleted', 'user.expired']
    )
    t.notMatch(JSON.stringify(events), 'squatter', 'and the audit names nobody')
  })
}

await t.test('a verification that comes while accounts expire keeps the account', async (t) => {
  const service = await startService(t)
  await register(service, 'late')
  await passDays(service, 31)
  const expiring = await service.app.database.db.transaction(async (tx) => {
    await tx.execute(`update users set email_verified = true`)
    const outcome = service.app.operations.expireAccounts(30)
    await eventually(
      t,
      'it waits for the verification',
      async () => (await sql(service, 'select 1 from pg_locks where not granted')).length > 0
    )
    return { outcome }
  })
  t.equal(await expiring.outcome, 0)
  t.same(await names(service), ['late'])
})

await t.test('accounts expire where addresses must be verified, or where it is asked for', async (t) => {
  const days = async (env: Record<string, string>) => (await startService(t, env)).app.config.unverifiedAccounts
  t.equal(await days({}), undefined)
  t.equal(await days({ REQUIRE_VERIFIED_EMAIL: 'on' }), 30)
  t.equal(await days({ REQUIRE_VERIFIED_EMAIL: 'on', UNVERIFIED_ACCOUNT_DAYS: '7' }), 7)
  t.equal(await days({ UNVERIFIED_ACCOUNT_DAYS: '7' }), 7)
})
