import t from 'tap'
import { sql } from 'drizzle-orm'
import { registerAdmin } from '../support/admin.ts'
import { call, registerPerson } from '../support/client.ts'
import { kinds, sql as postgresSql, startService } from '../support/service.ts'

interface Page {
  items: { id: number; type: string; user_id: number | null; created_at: string }[]
  next_cursor: string | null
}

for (const kind of kinds) {
  await t.test(`GET /admin/audit-events, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const { token: bearer, id } = await registerAdmin(service)
    await service.app.database.db.execute(sql`
      insert into audit_events (type, user_id, created_at)
      select case when n % 5 = 0 then 'user.login_failed' else 'user.logged_in' end, 7000 + n % 3,
        timestamptz '2024-05-01 12:00:00.000001+00' + (n / 4) * interval '1 microsecond'
      from generate_series(1, 120) n`)
    const ask = (query: string) => call(service, `GET /admin/audit-events?${query}`, { bearer })
    async function walk(query: string): Promise<Page['items']> {
      const items: Page['items'] = []
      for (let cursor: string | null = ''; cursor !== null;) {
        const page = (await ask(`${query}&limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`)).body as Page
        items.push(...page.items)
        cursor = page.next_cursor
      }
      return items
    }

    await t.test('the newest first, each once, those of one microsecond too', async (t) => {
      const old = await walk('until=2024-06-01T00:00:00Z')
      t.equal(old.length, 120)
      const ids = old.map((event) => event.id)
      t.strictSame(
        ids,
        ids.toSorted((a, b) => b - a)
      )
      const [latest] = ((await ask('limit=1&type=user.logged_in')).body as Page).items
      t.match(latest, {
        type: 'user.logged_in',
        actor_id: id,
        actor_client_id: null,
        user_id: id,
        ip: '127.0.0.1',
        user_agent: 'node',
        request_id: /./,
        details: {}
      })
    })

    await t.test('filters by type, user and time', async (t) => {
      t.equal((await walk('type=user.login_failed')).length, 24)
      t.equal((await walk('user_id=7001')).length, 40)
      t.equal((await walk('user_id=7001&type=user.login_failed')).length, 8)
      t.equal((await walk('user_id=7001&since=2024-05-01T15:00:00%2B03:00&until=2024-05-01T12:00:00.001Z')).length, 40)
      t.equal((await walk('user_id=7001&since=2024-05-01T12:00:00.001Z')).length, 0)
    })

    await t.test('refuses what it does not know', async (t) => {
      const users = (await call(service, 'GET /admin/users?limit=1', { bearer })).body as Page
      const { next_cursor: cursor } = (await ask('limit=1')).body as Page
      t.equal((await ask(`cursor=${cursor ?? ''}`)).status, 200)
      for (const query of [
        ...[
          'limit=0',
          'limit=101',
          'user_id=x',
          'user_id=0',
          'type=',
          'type=user.login',
          'actor=1',
          'since=yesterday',
          'cursor=x'
        ],
        ...[
          'since=0000-01-01T00:00:00Z',
          'until=9999-12-31T23:59:59-23:59',
          'since=2024-01-01',
          'since=2024-13-01T00:00:00Z'
        ],
        ...['since=2016-12-31T23:59:60Z', `cursor=${users.next_cursor ?? 'x'}`, 'type=user.login&type=user.logout']
      ]) {
        t.match(await ask(query), { status: 400, body: { code: 'validation_failed' } }, query)
      }
    })

    await t.test(
      'a refusal for want of a role is an event, with who asked for what; those of /authz are not',
      async (t) => {
        const reader = await registerPerson(service)
        const refused = await call(service, 'DELETE /admin/users/1', { bearer: reader.token })
        t.match([refused.status, refused.body], [403, { code: 'permission_denied' }])
        await call(service, 'GET /authz/admin', { bearer: reader.token })
        await call(service, 'GET /admin/users')
        const { items } = (await ask('type=access.denied')).body as Page
        t.match(items, [
          {
            actor_id: reader.id,
            user_id: reader.id,
            ip: '127.0.0.1',
            request_id: refused.headers.get('x-request-id'),
            details: { role: 'admin', method: 'DELETE', route: '/admin/users/:id' }
          }
        ])
        t.equal(items.length, 1)
      }
    )
  })
}

await t.test('a refused caller stays refused when the refusal cannot be recorded', async (t) => {
  const service = await startService(t)
  const reader = await registerPerson(service)
  await postgresSql(service, 'alter table audit_events rename to audit_events_away')
  t.equal((await call(service, 'GET /admin/users', { bearer: reader.token })).status, 403)
  t.ok(service.log.some((line) => line.includes('a denial could not be recorded')))
})
