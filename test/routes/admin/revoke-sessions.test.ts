import t from 'tap'
import { sql } from 'drizzle-orm'
import { registerAdmin } from '../../support/admin.ts'
import { call, logIn, registerPerson } from '../../support/client.ts'
import { eventually } from '../../support/eventually.ts'
import { kinds, startService } from '../../support/service.ts'

for (const kind of kinds) {
  await t.test(`POST /admin/sessions/revoke, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const admin = await registerAdmin(service)
    const [ann, ben] = [await registerPerson(service, 'ann'), await registerPerson(service, 'ben')]
    await service.app.operations.updateUser({ username: ben.username }, { isAuthor: true }, {})
    ben.token = await logIn(service, ben)
    const revoke = (json: object) => call(service, 'POST /admin/sessions/revoke', { bearer: admin.token, json })
    const alive = async (token: string) => (await call(service, 'GET /authz', { bearer: token })).status === 204

    await t.test('needs a condition, and takes all of them alone', async (t) => {
      const refused = [
        {},
        { dry_run: true },
        { all: false },
        { all: true, role: 'admin' },
        { user_ids: [] },
        { user_ids: ['1'] },
        { user_ids: [0] },
        { role: 'owner' },
        { created_before: 'yesterday' },
        { created_before: '0000-01-01T00:00:00Z' },
        { created_before: '2024-02-30T00:00:00Z' },
        { session_ids: ['x'] }
      ]
      for (const json of refused) {
        t.match(await revoke(json), { status: 400, body: { code: 'validation_failed' } }, JSON.stringify(json))
      }
      t.ok(await alive(ann.token))
    })

    await t.test('a dry run counts and ends nothing; conditions hold together', async (t) => {
      t.same((await revoke({ all: true, dry_run: true })).body, { revoked: 5 })
      t.same((await revoke({ user_ids: [ann.id, ben.id], dry_run: true })).body, { revoked: 3 })
      t.same((await revoke({ user_ids: [ann.id, ben.id], role: 'author', dry_run: true })).body, { revoked: 2 })
      t.same((await revoke({ created_before: '2020-01-01T00:00:00+03:00', dry_run: true })).body, { revoked: 0 })
      t.ok((await alive(ann.token)) && (await alive(ben.token)))
    })

    await t.test('ends the sessions that are meant, with their filter in the audit', async (t) => {
      t.same((await revoke({ user_ids: [ann.id, ben.id], role: 'author' })).body, { revoked: 2 })
      t.notOk(await alive(ben.token))
      t.ok(await alive(ann.token))
      const events = await call(service, 'GET /admin/audit-events?type=session.bulk_revoked', { bearer: admin.token })
      t.match(events.body, {
        items: [{ actor_id: admin.id, details: { filter: { user_ids: [ann.id, ben.id], role: 'author' }, revoked: 2 } }]
      })
      t.equal((events.body as { items: unknown[] }).items.length, 1)
    })

    await t.test('all of them, over several batches, felt by another instance', async (t) => {
      await service.app.database.db.execute(sql`
        insert into sessions (user_id, expires_at, sweep_after)
        select ${ann.id}, now() + interval '1 day', now() + interval '2 days' from generate_series(1, 4500)`)
      const other = kind === 'postgres' ? await startService(t, service.env) : service
      t.match((await revoke({ all: true })).body, { revoked: 4503 })
      t.equal((await service.app.database.db.query.sessions.findMany()).length, 0)
      for (const token of [ann.token, admin.token]) {
        await eventually(t, 'the token is refused elsewhere', async () => {
          return (await call(other, 'GET /authz', { bearer: token })).status === 401
        })
      }
    })
  })
}
