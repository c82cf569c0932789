import t from 'tap'
import { createDenials } from '../../src/audit/access-denials.ts'
import { registerAdmin } from '../support/admin.ts'
import { call, registerPerson } from '../support/client.ts'
import { createClient, tokenOf } from '../support/service-client.ts'
import { kinds, sql, startService, type Service } from '../support/service.ts'

interface Event {
  user_id: number | null
  actor_client_id: string | null
  details: { role: string; method: string; route: string; count: number }
}

const denialsOf = (service: Service) =>
  service.app.database.db.query.auditEvents.findMany({
    where: (event, { eq }) => eq(event.type, 'access.denied'),
    orderBy: (event, { asc }) => asc(event.id)
  })

for (const kind of kinds) {
  await t.test(`a caller who is denied again and again is one event a minute for each route, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const [person, other] = [await registerPerson(service), await registerPerson(service)]
    const client = await createClient(service)
    const machine = await tokenOf(service, client)
    const ask = async (bearer: string, path: `GET /${string}`, times: number) => {
      const answers = await Promise.all(Array.from({ length: times }, () => call(service, path, { bearer })))
      t.ok(answers.every(({ status }) => status === 403))
    }
    await ask(person.token, 'GET /admin/users', 30)
    t.match(await denialsOf(service), [{ userId: person.id, details: { count: 1 } }], 'the first is written at once')
    await ask(person.token, 'GET /admin/users', 10)
    await ask(person.token, 'GET /admin/users/1', 2)
    await ask(person.token, 'GET /admin/users/2', 2)
    await ask(other.token, 'GET /admin/users', 1)
    await ask(machine, 'GET /admin/users', 3)
    await service.app.denials.flush()
    const denied = (route: string, count: number) => ({ role: 'admin', method: 'GET', route, count })
    const expected = [
      [person.id, null, denied('/admin/users', 40)],
      [person.id, null, denied('/admin/users/:id', 4)],
      [other.id, null, denied('/admin/users', 1)],
      [null, client.id, denied('/admin/users', 3)]
    ]
    const summary = async () =>
      (await denialsOf(service)).map(({ userId, actorClientId, details }) => [userId, actorClientId, details])
    t.strictSame(await summary(), expected)
    await ask(person.token, 'GET /admin/users', 5)
    await service.app.denials.flush()
    t.strictSame(await summary(), [...expected, [person.id, null, denied('/admin/users', 5)]], 'a minute later')
  })
}

await t.test('what was counted is written when the service stops, and what was forgotten stays so', async (t) => {
  const service = await startService(t)
  const [person, leaving] = [await registerPerson(service), await registerPerson(service)]
  for (const { token: bearer } of [person, leaving, person, leaving])
    await call(service, 'GET /admin/users', { bearer })
  await call(service, 'DELETE /auth/me', { bearer: leaving.token, json: { password: leaving.password } })
  await service.close()
  const events = await sql<Event>(service, `select * from audit_events where type = 'access.denied' order by id`)
  t.match(events, [
    { user_id: person.id, details: { count: 2 } },
    { user_id: leaving.id, details: {} }
  ])
  t.strictSame(events[1]?.details, {})
})

await t.test('denials are refused whether or not they can be written, and counted when they can again', async (t) => {
  const service = await startService(t)
  const [person, admin] = [await registerPerson(service), await registerAdmin(service)]
  const ask = () => call(service, 'GET /admin/users', { bearer: person.token })
  await sql(service, 'alter table audit_events rename to audit_events_away')
  t.equal((await ask()).status, 403)
  t.match(service.log.join(''), /a denial could not be recorded/)
  await sql(service, 'alter table audit_events_away rename to audit_events')
  t.same([(await ask()).status, (await ask()).status], [403, 403])
  await sql(service, 'alter table audit_events rename to audit_events_away')
  await t.rejects(service.app.denials.flush())
  await sql(service, 'alter table audit_events_away rename to audit_events')
  await service.app.denials.flush()
  const listed = await call(service, 'GET /admin/audit-events?type=access.denied', { bearer: admin.token })
  t.match(listed.body, { items: [{ user_id: person.id, details: { count: 2 } }] })
})

await t.test('there is a bound to how many callers are counted at a time', async (t) => {
  const { app } = await startService(t, {}, 'embedded')
  const denials = createDenials(app.database.db, 3)
  const deny = (actorId: number) =>
    denials.record({ origin: { actorId }, role: 'admin', method: 'GET', route: '/admin/users' })
  for (const actorId of [1, 1, 2, 3, 4, 4, 1, 1]) await deny(actorId)
  await denials.flush()
  const events = await app.database.db.query.auditEvents.findMany({
    where: (event, { eq }) => eq(event.type, 'access.denied'),
    orderBy: (event, { asc }) => asc(event.id)
  })
  t.strictSame(
    events.map(({ userId, details }) => [userId, details.count]),
    [
      [1, 2],
      [2, 1],
      [3, 1],
      [4, 2],
      [1, 2]
    ]
  )
})
