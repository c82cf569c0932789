import t from 'tap'
import { call, logIn, registerPerson, startSession } from '../../support/client.ts'
import { kinds, sql, startService } from '../../support/service.ts'

interface SessionItem {
  id: string
  current: boolean
}

for (const kind of kinds) {
  await t.test(`sessions and passwords, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const list = async (bearer: string) =>
      ((await call(service, 'GET /auth/sessions', { bearer })).body as { items: SessionItem[] }).items

    await t.test('a user sees where they are logged in, and no token', async (t) => {
      const person = await registerPerson(service)
      const second = await logIn(service, person)
      const answer = await call(service, 'GET /auth/sessions', { bearer: second })
      t.match(answer.body, {
        items: [
          {
            id: /^[0-9a-f-]{36}$/,
            created_at: /Z$/,
            last_used_at: /Z$/,
            expires_at: /Z$/,
            ip: '127.0.0.1',
            user_agent: 'node'
          },
          {}
        ]
      })
      t.same(Object.keys((answer.body as { items: object[] }).items[0]!).sort(), [
        'created_at',
        'current',
        'expires_at',
        'id',
        'ip',
        'last_used_at',
        'user_agent'
      ])
      t.equal((await list(second)).filter((session) => session.current).length, 1)
    })

    await t.test('a session that its owner ends is refused at once', async (t) => {
      const person = await registerPerson(service)
      const other = await startSession(service, person)
      const otherId = (await list(other.access_token)).find((session) => session.current)!.id
      t.equal((await call(service, `DELETE /auth/sessions/${otherId}`, { bearer: person.token })).status, 204)
      t.match((await call(service, 'GET /authz', { bearer: other.access_token })).body, { code: 'token_revoked' })
      t.equal((await call(service, 'GET /authz', { bearer: person.token })).status, 204)
      t.equal((await call(service, `DELETE /auth/sessions/${otherId}`, { bearer: person.token })).status, 404)
    })

    await t.test('the session that asks may be the one that ends', async (t) => {
      const { token } = await registerPerson(service)
      const id = (await list(token)).find(({ current }) => current)!.id
      t.equal((await call(service, `DELETE /auth/sessions/${id}`, { bearer: token })).status, 204)
      t.match((await call(service, 'GET /auth/me', { bearer: token })).body, { code: 'token_revoked' })
    })

    await t.test("another user's session answers as an unknown one does, and lives on", async (t) => {
      const [one, two] = [await registerPerson(service), await registerPerson(service)]
      const id = (await list(two.token))[0]!.id
      const foreign = await call(service, `DELETE /auth/sessions/${id}`, { bearer: one.token })
      const unknown = await call(service, 'DELETE /auth/sessions/00000000-0000-4000-8000-000000000000', {
        bearer: one.token
      })
      t.equal(foreign.status, 404)
      t.same({ ...foreign.body, request_id: '' }, { ...unknown.body, request_id: '' })
      t.equal((await call(service, 'GET /authz', { bearer: two.token })).status, 204)
      t.equal((await call(service, 'DELETE /auth/sessions/not-an-id', { bearer: one.token })).status, 400)
    })

    await t.test('logging out everywhere else leaves this session', async (t) => {
      const person = await registerPerson(service)
      const others = [await logIn(service, person), await logIn(service, person)]
      t.equal((await call(service, 'DELETE /auth/sessions', { bearer: person.token })).status, 204)
      for (const other of others) t.equal((await call(service, 'GET /authz', { bearer: other })).status, 401)
      t.equal((await list(person.token)).length, 1)
    })

    await t.test('a changed password ends every session, and needs the present one', async (t) => {
      const person = await registerPerson(service)
      const other = await startSession(service, person)
      const change = (current_password: unknown, new_password: unknown) =>
        call(service, 'POST /auth/password', { bearer: person.token, json: { current_password, new_password } })

      t.match((await change('wrong password', 'another quiet evening')).body, { code: 'invalid_credentials' })
      t.match((await change(person.password, 'password1')).body, {
        code: 'validation_failed',
        errors: [{ path: '/body/new_password', message: /common/ }]
      })
      t.equal((await change(undefined, 'another quiet evening')).status, 400)
      t.equal(
        (await call(service, 'GET /authz', { bearer: other.access_token })).status,
        204,
        'nothing has changed yet'
      )

      const changed = await change(person.password, 'another quiet evening')
      t.equal(changed.status, 200)
      t.match((await call(service, 'GET /authz', { bearer: person.token })).body, { code: 'token_revoked' })
      const { access_token: bearer } = changed.body as { access_token: string }
      t.equal((await call(service, 'GET /auth/me', { bearer })).status, 200)
      t.match((await call(service, 'GET /authz', { bearer: other.access_token })).body, { code: 'token_revoked' })
      const { refresh_token } = other
      t.equal((await call(service, 'POST /auth/refresh', { json: { refresh_token } })).status, 401)
      await t.rejects(logIn(service, person), /401/)
      t.ok(await logIn(service, { ...person, password: 'another quiet evening' }))
    })
  })
}

await t.test('a user has at most 100 sessions: the one used least recently ends', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 11 }, () => logIn(service, person)))
  }
  const [{ count }] = (await sql<{ count: string }>(service, 'select count(*) from sessions')) as [{ count: string }]
  t.equal(Number(count), 100)
  t.match((await call(service, 'GET /authz', { bearer: person.token })).body, { code: 'token_revoked' })
})
