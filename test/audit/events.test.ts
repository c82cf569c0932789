import t from 'tap'
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
  await service.app.users.setRole(person.username, 'author', true, { actorId: id })
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
  await t.rejects(service.app.users.setRole(person.username, 'admin', true, {}))
  await t.rejects(service.app.administration.remove(person.id, {}))
  t.equal((await call(service, 'POST /auth/logout', { bearer: person.token })).status, 500)
  await sql(service, 'alter table audit_events_away rename to audit_events')
  const me = await call(service, 'GET /auth/me', { bearer: person.token })
  t.match(me.body, { first_name: null, is_admin: false })
})
