import t from 'tap'
import { call, cookiesOf, registerPerson, startSession } from '../../support/client.ts'
import { kinds, startService } from '../../support/service.ts'

for (const kind of kinds) {
  await t.test(`a user takes along what is theirs, and goes, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const person = await registerPerson(service)
    const { username, password, email } = person
    const other = await startSession(service, person)
    const login = await call(service, 'POST /auth/login', { json: { username, password } })
    const cookie = cookiesOf(login)

    const exported = await call(service, 'GET /auth/me/export', { bearer: person.token })
    t.match(exported, {
      status: 200,
      body: {
        user: { id: person.id, username, email },
        sessions: [{ current: false }, {}, {}],
        audit_events: [{ type: 'user.logged_in', user_id: person.id }, {}, {}, { type: 'user.registered' }],
        is_complete: true
      }
    })
    t.match(exported.headers.get('content-disposition'), 'attachment')
    t.notMatch(exported.text, /argon2|refresh_counter|_key/)

    const leave = (json: object) => call(service, 'DELETE /auth/me', { cookie, json })
    t.match(await leave({ password: 'not the password' }), { status: 401, body: { code: 'invalid_credentials' } })
    t.match(await leave({}), { status: 400 })
    t.match(await leave({ password, id: 1 }), { status: 400 })
    t.equal((await call(service, 'GET /auth/me', { cookie })).status, 200, 'nothing has happened yet')

    const left = await leave({ password })
    t.equal(left.status, 204)
    t.equal(left.cookies.filter((line) => /^(access|refresh)_token=;.*Max-Age=0/.test(line)).length, 2)
    t.equal((await call(service, 'GET /auth/me', { cookie })).status, 401)
    t.equal((await call(service, 'GET /auth/me', { bearer: other.access_token })).status, 401)
    const json = { refresh_token: other.refresh_token }
    t.equal((await call(service, 'POST /auth/refresh', { json })).status, 401)
    t.equal((await call(service, 'POST /auth/login', { json: { username, password } })).status, 401)
    const events = await service.app.database.db.query.auditEvents.findMany({
      where: (event, { eq }) => eq(event.userId, person.id)
    })
    t.ok(events.some(({ type }) => type === 'user.deleted'))
    for (const event of events) t.match(event, { ip: null, userAgent: null, details: {} }, event.type)
    const again = await call(service, 'POST /auth/registration', { json: { username, email, password } })
    t.equal(again.status, 201, 'the names are free again')
  })
}
