import t from 'tap'
import { call, registerPerson } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startMailServer } from '../support/mail-server.ts'
import { type Service, sql, startService } from '../support/service.ts'

await t.test(
  'what lets somebody in again is sent before other links, and those before what merely tells',
  async (t) => {
    const service = await startService(t)
    const owner = await registerPerson(service)
    const inserted = `insert into jobs (kind, payload, priority, due_at)
    select 'mail', jsonb_build_object('recipient', 'other-' || n || '@example.com', 'template', $1::text, 'language', 'en'),
      $2, now() - interval '1 minute' from generate_series(1, 30) n`
    await sql(service, inserted, ['password_changed', 2])
    await sql(service, inserted, ['email_verification', 1])
    await call(service, 'POST /auth/password/forgot', { json: { email: owner.email } })
    await eventually(
      t,
      'the link waits with the others',
      async () =>
        (await sql(service, "select 1 from jobs where payload ->> 'template' = 'password_reset'")).length === 1
    )
    await service.close()
    const mail = await startMailServer(t)
    await startService(t, { ...service.env, ...mail.env })
    await eventually(t, 'all are sent', async () => mail.mails.length === 62)
    const subjects = mail.mails.map(({ subject }) => subject)
    t.ok(subjects.indexOf('Set a new password') < 6, 'of the six that are sent at once it is one')
    const others = subjects.map((subject) => subject === 'Your password was changed')
    t.ok(others.indexOf(true) >= 26, 'while others are being sent, at most, the first of these begin')
  }
)

await t.test('a mail costs the same however many wait', async (t) => {
  const service = await startService(t)
  await sql(
    service,
    `insert into jobs (kind, payload, priority)
     select 'mail', jsonb_build_object('recipient', 'other-' || n || '@example.com', 'template', 'password_changed',
       'language', 'en'), 2 from generate_series(1, 20000) n`
  )
  // Otherwise the plans depend on whether autovacuum has come by.
  await sql(service, 'analyze jobs')
  await service.close()
  // The statistics of a connection are complete when it has ended.
  const read = async (work: (service: Service) => Promise<unknown>, env: Record<string, string>) => {
    const statistics = async () => {
      const [row] = await sql<{ read: string }>(
        service,
        `select seq_tup_read + coalesce(idx_tup_fetch, 0) + (select sum(idx_tup_read) from pg_stat_user_indexes
         where relname = 'jobs') as read from pg_stat_user_tables where relname = 'jobs'`
      )
      return Number(row?.read)
    }
    const before = await statistics()
    const running = await startService(t, { ...service.env, ...env })
    await work(running)
    await running.close()
    return (await statistics()) - before
  }
  const people: { email: string }[] = []
  const registrations = await read(async (running) => {
    for (let n = 0; n < 5; n++) people.push(await registerPerson(running))
    const told = () => running.log.filter((line) => line.includes('mail written')).length
    await eventually(t, 'each is written', async () => told() === 5)
  }, {})
  t.ok(registrations < 5000, `without a mail server: ${String(registrations)} rows were read`)
  const mail = await startMailServer(t)
  const deliveries = await read(async () => {
    for (const { email } of people) await mail.mailTo(t, email)
  }, mail.env)
  t.ok(deliveries < 5000, `with one: ${String(deliveries)} rows were read`)
})

await t.test('where nothing sends them, the latest mails are kept', async (t) => {
  const { deleteVoidJobs } = await import('../../src/repositories/jobs.ts')
  const service = await startService(t)
  const { db } = service.app.database
  await sql(
    service,
    `insert into jobs (kind, payload, priority) select 'mail', jsonb_build_object('recipient', n::text, 'template',
       'password_changed', 'language', 'en'), 2 from generate_series(1, 1700) n`
  )
  t.equal(await deleteVoidJobs(db), 0)
  const swept = await Promise.all([deleteVoidJobs(db, 600), deleteVoidJobs(db, 600)])
  t.equal(swept[0] + swept[1], 1100, 'by whichever instance comes first')
  const [left] = await sql<{ first: number; count: number }>(
    service,
    "select min((payload ->> 'recipient')::integer) as first, count(*)::integer as count from jobs"
  )
  t.same(left, { first: 1101, count: 600 })
})

await t.test('what can no longer be of use is swept', async (t) => {
  const { deleteVoidJobs } = await import('../../src/repositories/jobs.ts')
  const { sweep } = await import('../../src/repositories/expired-rows.ts')
  const service = await startService(t)
  const { db } = service.app.database
  const people = [await registerPerson(service), await registerPerson(service), await registerPerson(service)]
  const mails = () =>
    sql<{ template: string }>(service, "select payload ->> 'template' as template from jobs order by id")
  await eventually(
    t,
    'each has a mail',
    async () => (await mails()).filter(({ template }) => template === 'email_verification').length === 3
  )
  await sql(service, 'update account_tokens set expires_at = now() where user_id = $1', [people[0]!.id])
  await sql(service, "update jobs set created_at = now() - interval '4 days' where user_id = $1", [people[1]!.id])
  t.equal(await deleteVoidJobs(db), 2)
  t.equal((await mails()).length, 1)
  t.equal(await sweep(db, { auditRetention: 365 }), 1, 'the expired token')
})
