import t from 'tap'
import { registerAdmin } from '../support/admin.ts'
import { call, registerPerson, startSession, type Tokens } from '../support/client.ts'
import { sql, startService } from '../support/service.ts'

interface Event {
  type: string
  user_id: number | null
  actor_id: number | null
  ip: string | null
  user_agent: string | null
  request_id: string | null
  details: Record<string, unknown>
}

await t.test('each change leaves its event, with who, from where and in which request', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  const { id } = person
  const session = await startSession(service, person)
  const bearer = person.token
  await call(service, 'PATCH /auth/me', { bearer, json: { first_name: 'Ada' } })
  await call(service, 'POST /auth/login', { json: { username: person.username, password: 'not the password' } })
  const r1 = (await call(service, 'POST /auth/refresh', { json: { refresh_token: session.refresh_token } }))
    .body as Tokens
  await call(service, 'POST /auth/refresh', { json: { refresh_token: r1.refresh_token } })
  await call(service, 'POST /auth/refresh', { json: { refresh_token: session.refresh_token } })
  await startSession(service, person)
  await call(service, 'DELETE /auth/sessions', { bearer })
  await call(service, 'POST /auth/password', {
    bearer,
    json: { current_password: person.password, new_password: 'another quiet evening' }
  })
  await service.app.operations.updateUser({ username: person.username }, { isAuthor: true }, { actorId: id })
  const again = await startSession(service, { ...person, password: 'another quiet evening' })
  const out = await call(service, 'POST /auth/logout', { bearer: again.access_token })

  const events = await sql<Event>(service, `select * from audit_events where type not like 'key.%' order by id`)
  t.same(
    events.map(({ type, user_id }) => [type, user_id]),
    [
      ['user.registered', id],
      ['user.logged_in', id],
      ['user.logged_in', id],
      ['user.updated', id],
      ['user.login_failed', id],
      ['session.reuse_detected', id],
      ['user.logged_in', id],
      ['session.revoked', id],
      ['user.password_changed', id],
      ['user.roles_changed', id],
      ['user.logged_in', id],
      ['user.logged_out', id]
    ]
  )
  t.match(events.at(-1), {
    actor_id: id,
    ip: '127.0.0.1',
    user_agent: 'node',
    request_id: out.headers.get('x-request-id')
  })
  t.notMatch(JSON.stringify(events), new RegExp([person.password, session.refresh_token, bearer].join('|')))
})

await t.test('an event that cannot be written undoes what it records', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  await sql(service, 'alter table audit_events rename to audit_events_away')
  const answer = await call(service, 'PATCH /auth/me', { bearer: person.token, json: { first_name: 'Ada' } })
  t.equal(answer.status, 500)
  await t.rejects(service.app.operations.updateUser({ username: person.username }, { isAdmin: true }, {}))
  await t.rejects(service.app.operations.deleteUser(person.id, {}))
  t.equal((await call(service, 'POST /auth/logout', { bearer: person.token })).status, 500)
  await sql(service, 'alter table audit_events_away rename to audit_events')
  const me = await call(service, 'GET /auth/me', { bearer: person.token })
  t.match(me.body, { first_name: null, is_admin: false })
})

await t.test('who leaves is forgotten, but not where they came from when they used a role on others', async (t) => {
  const service = await startService(t)
  const [boss, admin, person] = [
    await registerAdmin(service),
    await registerAdmin(service),
    await registerPerson(service)
  ]
  const change = (id: number, json: object) =>
    call(service, `PATCH /admin/users/${String(id)}`, { bearer: admin.token, json })
  await change(person.id, { is_author: true })
  await change(boss.id, { first_name: 'Ada' })
  await call(service, 'POST /admin/users', {
    bearer: admin.token,
    json: { username: 'invited', email: 'invited@example.com' }
  })
  await call(service, 'POST /admin/clients', { bearer: admin.token, json: { name: 'billing' } })
  // The one who was changed goes by the hand of who changed them, who then goes, too.
  await call(service, `DELETE /admin/users/${String(person.id)}`, { bearer: admin.token })
  const gone = await call(service, 'DELETE /auth/me', { bearer: admin.token, json: { password: admin.password } })
  t.equal(gone.status, 204)

  const query = 'select * from audit_events where actor_id = $1 and user_id is distinct from $1 order by id'
  const acts = await sql<Event>(service, query, [admin.id])
  t.same(
    acts.map(({ type, user_id, ip, user_agent }) => [type, user_id === person.id, ip, user_agent]),
    [
      ['user.roles_changed', true, '127.0.0.1', 'node'],
      ['user.updated', false, '127.0.0.1', 'node'],
      ['user.invited', false, '127.0.0.1', 'node'],
      ['client.created', false, '127.0.0.1', 'node'],
      ['user.deleted', true, '127.0.0.1', 'node']
    ]
  )
  const own = await sql<Event>(
    service,
    'select * from audit_events where user_id in ($1, $2) and (actor_id = user_id or actor_id is null)',
    [admin.id, person.id]
  )
  t.ok(own.length > 5)
  for (const event of own) t.match(event, { ip: null, user_agent: null }, event.type)
  const named = await sql(service, `select * from audit_events where user_id in ($1, $2) and details <> '{}'`, [
    admin.id,
    person.id
  ])
  t.strictSame(named, [], 'nothing is left of what was said of them')
})
