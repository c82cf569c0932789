import { decodeJwt } from 'jose'
import t from 'tap'
import { call, logIn, registerPerson, startSession } from '../../support/client.ts'
import { kinds, startService } from '../../support/service.ts'

for (const kind of kinds) {
  await t.test(`users give themselves another username, on ${kind}`, async (t) => {
    const service = await startService(t, { RATE_LIMIT: 'on' }, kind)
    const [person, other] = [await registerPerson(service), await registerPerson(service)]
    const session = await startSession(service, person)
    const rename = (username: string) =>
      call(service, 'POST /auth/username', { bearer: session.access_token, json: { username } })
    const events = async () =>
      (
        await service.app.database.db.query.auditEvents.findMany({
          where: (event, { and, eq }) => and(eq(event.userId, person.id), eq(event.type, 'user.username_changed')),
          orderBy: (event) => event.id
        })
      ).map(({ details }) => ({ details }))

    const renamed = await rename('ａｄａ.lovelace')
    t.match(renamed, { status: 200, body: { id: person.id, username: 'ada.lovelace', email: person.email } })
    t.equal((await call(service, 'GET /auth/me', { bearer: session.access_token })).status, 200, 'the session goes on')
    const refreshed = await call(service, 'POST /auth/refresh', { json: { refresh_token: session.refresh_token } })
    t.match(decodeJwt((refreshed.body as { access_token: string }).access_token), { username: 'ada.lovelace' })
    await t.rejects(logIn(service, person), /401/)
    t.ok(await logIn(service, { ...person, username: 'ADA.lovelace' }))
    t.same(await events(), [{ details: { from: person.username, to: 'ada.lovelace' } }])

    t.equal((await rename('ada.lovelace')).status, 200)
    t.equal((await events()).length, 1, 'the same name is no change')
    t.match(await rename(other.username.toUpperCase()), { status: 409, body: { code: 'username_taken' } })
    t.match((await call(service, 'GET /auth/me', { bearer: other.token })).body, { username: other.username })

    await rename('Ada.Lovelace')
    await rename('ada')
    const tooMany = await rename('lovelace')
    t.match(tooMany, { status: 429, body: { code: 'rate_limited' } })
    t.ok(Number(tooMany.headers.get('retry-after')) > 60 * 60, 'five times a day')
    t.same(
      (await events()).at(-2),
      { details: { from: 'ada.lovelace', to: 'Ada.Lovelace' } },
      'other letters are another name to see'
    )
    const taken = { username: person.username, email: `heir-${person.email}`, password: person.password }
    t.equal((await call(service, 'POST /auth/registration', { json: taken })).status, 201, 'the name of before is free')
  })
}
