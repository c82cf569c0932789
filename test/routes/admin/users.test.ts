import t from 'tap'
import { sql } from 'drizzle-orm'
import { registerAdmin } from '../../support/admin.ts'
import { call, logIn, registerPerson, startSession } from '../../support/client.ts'
import { kinds, type Service, startService } from '../../support/service.ts'

interface Event {
  type: string
  actor_id: number | null
  user_id: number | null
  ip: string | null
  user_agent: string | null
  details: Record<string, unknown>
}

const eventsOf = async (service: Service, userId: number, type: string) => {
  const found = await service.app.database.db.query.auditEvents.findMany({
    where: (event, { and, eq }) => and(eq(event.userId, userId), eq(event.type, type)),
    orderBy: (event) => event.id
  })
  return found.map(({ actorId, details }) => ({ actor_id: actorId, details }))
}

for (const kind of kinds) {
  await t.test(`users as administrators see them, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const admin = await registerAdmin(service)
    const bearer = admin.token
    const patch = (id: number, json: object) => call(service, `PATCH /admin/users/${String(id)}`, { bearer, json })

    await t.test('an invited user has no password, and the names are theirs', async (t) => {
      const json = { username: 'Invited', email: 'invited@example.com', first_name: 'Ina', is_author: true }
      const answer = await call(service, 'POST /admin/users', { bearer, json })
      t.match(answer, {
        status: 201,
        body: {
          username: 'Invited',
          first_name: 'Ina',
          second_name: null,
          is_reader: true,
          is_author: true,
          is_admin: false
        }
      })
      t.match(answer.body, { is_disabled: false, email_verified: false, last_login_at: null })
      const { id } = answer.body as { id: number }
      t.strictSame(await eventsOf(service, id, 'user.invited'), [
        { actor_id: admin.id, details: { roles: ['reader', 'author'] } }
      ])
      for (const password of ['x', 'a long and quiet evening']) {
        const login = await call(service, 'POST /auth/login', { json: { username: 'invited', password } })
        t.equal(login.status, 401)
      }
      const again = (change: object) => call(service, 'POST /admin/users', { bearer, json: { ...json, ...change } })
      t.match(await again({ email: 'other@example.com' }), { status: 409, body: { code: 'username_taken' } })
      t.match(await again({ username: 'other' }), { status: 409, body: { code: 'email_taken' } })
      for (const change of [
        { password: 'a long and quiet evening' },
        { id: 7 },
        { username: 'a b' },
        { is_admin: 'yes' }
      ]) {
        t.equal((await again({ ...change, email: 'x@example.com' })).status, 400, JSON.stringify(change))
      }
    })

    await t.test('a change of roles voids the tokens of before; a refresh brings the new ones', async (t) => {
      const person = await registerPerson(service)
      const { access_token, refresh_token } = await startSession(service, person)
      const changed = await patch(person.id, { is_author: true, is_reader: false })
      t.match(changed, { status: 200, body: { is_reader: false, is_author: true, is_admin: false } })
      t.match(await call(service, 'GET /authz', { bearer: access_token }), { status: 401 })
      const refreshed = await call(service, 'POST /auth/refresh', { json: { refresh_token } })
      const token = (refreshed.body as { access_token: string }).access_token
      t.equal((await call(service, 'GET /authz/author', { bearer: token })).status, 204)
      t.equal((await call(service, 'GET /authz/reader', { bearer: token })).status, 403)
      t.strictSame(await eventsOf(service, person.id, 'user.roles_changed'), [
        { actor_id: admin.id, details: { from: ['reader'], to: ['author'] } }
      ])
    })

    await t.test('what is already so ends no token and leaves no event', async (t) => {
      const person = await registerPerson(service)
      const before = await call(service, `GET /admin/users/${String(person.id)}`, { bearer })
      const same = { is_reader: true, is_author: false, is_disabled: false, email: person.email, first_name: null }
      t.strictSame((await patch(person.id, same)).body, before.body)
      t.strictSame((await patch(person.id, {})).body, before.body)
      await service.app.operations.updateUser({ username: person.username }, { isReader: true }, {})
      t.equal((await call(service, 'GET /auth/me', { bearer: person.token })).status, 200)
      for (const type of ['user.updated', 'user.roles_changed', 'user.enabled', 'user.email_changed']) {
        t.strictSame(await eventsOf(service, person.id, type), [], type)
      }
    })

    await t.test('a disabled user is out at once, and back when enabled', async (t) => {
      const person = await registerPerson(service)
      const { access_token, refresh_token } = await startSession(service, person)
      t.match(await patch(person.id, { is_disabled: true }), { status: 200, body: { is_disabled: true } })
      t.equal((await call(service, 'GET /auth/me', { bearer: access_token })).status, 401)
      t.equal((await call(service, 'POST /auth/refresh', { json: { refresh_token } })).status, 401)
      const json = { username: person.username, password: person.password }
      t.match(await call(service, 'POST /auth/login', { json }), { status: 401, body: { code: 'invalid_credentials' } })
      t.match(await patch(person.id, { is_disabled: false }), { status: 200 })
      t.equal(
        (await call(service, 'POST /auth/refresh', { json: { refresh_token } })).status,
        401,
        'the session is gone'
      )
      t.equal((await call(service, 'GET /auth/me', { bearer: access_token })).status, 401)
      t.equal((await call(service, 'GET /auth/me', { bearer: await logIn(service, person) })).status, 200)
      t.equal((await eventsOf(service, person.id, 'user.disabled')).length, 1)
      t.equal((await eventsOf(service, person.id, 'user.enabled')).length, 1)
    })

    await t.test('another address is unverified again; a taken one is refused', async (t) => {
      const person = await registerPerson(service)
      await service.app.database.db.execute(sql`update users set email_verified = true where id = ${person.id}`)
      const upper = person.email.toUpperCase().replace('EXAMPLE.COM', 'example.com')
      t.match(
        (await patch(person.id, { email: upper })).body,
        { email: upper, email_verified: true },
        'the same in capitals'
      )
      const email = `new-${person.email}`
      t.match((await patch(person.id, { email })).body, { email, email_verified: false })
      t.match(await eventsOf(service, person.id, 'user.email_changed'), [{}, { details: { from: upper, to: email } }])
      t.match(await patch(person.id, { email: admin.email }), { status: 409, body: { code: 'email_taken' } })
    })

    await t.test('a deleted user is gone, and what stays of them in the audit names no one', async (t) => {
      const person = await registerPerson(service)
      const { access_token, refresh_token } = await startSession(service, person)
      await call(service, 'PATCH /auth/me', { bearer: access_token, json: { email: `moved-${person.email}` } })
      await call(service, 'POST /auth/login', { json: { username: person.username, password: 'wrong' } })
      t.equal((await call(service, `DELETE /admin/users/${String(person.id)}`, { bearer })).status, 204)
      t.equal((await call(service, 'GET /auth/me', { bearer: access_token })).status, 401)
      t.equal((await call(service, 'POST /auth/refresh', { json: { refresh_token } })).status, 401)
      t.equal((await call(service, `GET /admin/users/${String(person.id)}`, { bearer })).status, 404)
      t.equal((await call(service, `DELETE /admin/users/${String(person.id)}`, { bearer })).status, 404)
      const list = await call(service, `GET /admin/audit-events?user_id=${String(person.id)}&limit=100`, { bearer })
      const [deletion, ...events] = (list.body as { items: Event[] }).items
      t.match(deletion, { type: 'user.deleted', actor_id: admin.id, ip: '127.0.0.1' })
      t.ok(events.length >= 5)
      for (const event of events) t.match(event, { ip: null, user_agent: null, details: {} }, event.type)
      t.notMatch(list.text, new RegExp(`${person.email}|${person.username}`))
      const again = await registerPerson(service)
      t.ok(again.id > person.id, 'the number is never given again')
    })

    await t.test('ids that are none are 400, ids of nobody 404', async (t) => {
      const operations = ['GET /admin/users/', 'DELETE /admin/users/'] as const
      for (const operation of operations) {
        for (const id of ['0', '-1', '1.5', 'x', '2147483648', '%00']) {
          t.equal((await call(service, `${operation}${id}`, { bearer })).status, 400, `${operation}${id}`)
        }
        t.equal((await call(service, `${operation}2147483647`, { bearer })).status, 404)
      }
      t.equal((await patch(2147483647, { first_name: 'x' })).status, 404)
      for (const method of ['GET', 'DELETE']) {
        t.equal((await call(service, `${method} /admin/users/2147483647/sessions`, { bearer })).status, 404)
      }
    })

    await t.test('an administrator sees and ends the sessions of a user', async (t) => {
      const person = await registerPerson(service)
      const { access_token } = await startSession(service, person)
      const path = `/admin/users/${String(person.id)}/sessions`
      const list = await call(service, `GET ${path}` as 'GET /', { bearer })
      t.match(list, { status: 200, body: { items: [{ current: false }, { current: false }] } })
      t.notMatch(list.text, /token|counter/)
      const own = await call(service, `GET /admin/users/${String(admin.id)}/sessions`, { bearer })
      t.equal((own.body as { items: { current: boolean }[] }).items.filter(({ current }) => current).length, 1)
      t.equal((await call(service, `DELETE ${path}` as 'DELETE /', { bearer })).status, 204)
      t.equal((await call(service, 'GET /auth/me', { bearer: access_token })).status, 401)
      t.match(await eventsOf(service, person.id, 'session.revoked'), [{ actor_id: admin.id }])
    })
  })
}
