import t from 'tap'
import { call, cookiesOf, registerPerson, startSession, type Tokens } from '../../support/client.ts'
import { kinds, type Service, sql, startService } from '../../support/service.ts'

const refresh = (service: Service, refresh_token: string) =>
  call(service, 'POST /auth/refresh', { json: { refresh_token } })

for (const kind of kinds) {
  await t.test(`refresh tokens, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const person = await registerPerson(service)

    await t.test('each use gives a new pair that works', async (t) => {
      const first = await startSession(service, person)
      t.match(first, { refresh_expires_in: 14 * 24 * 60 * 60 })
      const answer = await refresh(service, first.refresh_token)
      t.equal(answer.status, 200)
      const second = answer.body as Tokens
      t.not(second.refresh_token, first.refresh_token)
      t.not(second.access_token, first.access_token)
      t.equal((await call(service, 'GET /auth/me', { bearer: second.access_token })).status, 200)
      t.equal((await refresh(service, second.refresh_token)).status, 200)
      t.same(answer.cookies, [], 'a token in the body sets no cookies')
    })

    await t.test('the predecessor gets the very same successor, for its lost answer', async (t) => {
      const { refresh_token } = await startSession(service, person)
      const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(service, refresh_token)))
      t.same([...new Set(answers.map((answer) => answer.status))], [200])
      t.equal(new Set(answers.map((answer) => (answer.body as Tokens).refresh_token)).size, 1)
      t.equal((await refresh(service, (answers[0]!.body as Tokens).refresh_token)).status, 200)
    })

    await t.test(
      'a token older than the predecessor ends the session at once, though within the interval',
      async (t) => {
        const r0 = (await startSession(service, person)).refresh_token
        const r1 = ((await refresh(service, r0)).body as Tokens).refresh_token
        const second = (await refresh(service, r1)).body as Tokens
        const other = await startSession(service, person)

        const replay = await refresh(service, r0)
        t.equal(replay.status, 401)
        t.match(replay.body, { code: 'refresh_token_reused', detail: 'Refresh token reused' })
        t.match(replay.headers.get('www-authenticate'), /error="invalid_token"/)

        t.match((await refresh(service, second.refresh_token)).body, { code: 'refresh_token_invalid' })
        t.match((await call(service, 'GET /authz', { bearer: second.access_token })).body, { code: 'token_revoked' })
        t.equal((await call(service, 'GET /authz', { bearer: other.access_token })).status, 204, 'other sessions live')
      }
    )

    await t.test('nothing but a refresh token of this service is taken for one', async (t) => {
      const { access_token, refresh_token } = await startSession(service, person)
      const last = refresh_token.at(-1)!
      const forged = [
        access_token,
        '',
        'x',
        refresh_token.slice(0, -1),
        `${refresh_token}=`,
        ` ${refresh_token}`,
        refresh_token.slice(0, -1) + (last === 'A' ? 'B' : 'A'),
        refresh_token.slice(0, 30) + (refresh_token[30] === 'A' ? 'B' : 'A') + refresh_token.slice(31),
        'A'.repeat(75),
        'é'.repeat(75)
      ]
      for (const token of forged) {
        const answer = await refresh(service, token)
        t.equal(answer.status, 401, token.slice(0, 20))
        t.match(answer.body, { code: 'refresh_token_invalid' })
      }
      t.equal((await call(service, 'GET /authz', { bearer: refresh_token })).status, 401)
      t.equal((await refresh(service, refresh_token)).status, 200, 'and none of that harmed the session')
    })

    await t.test('a browser refreshes by cookie, and gets the refresh token in its cookie alone', async (t) => {
      const { username, password } = person
      const login = await call(service, 'POST /auth/login', { json: { username, password } })
      t.notOk('refresh_token' in (login.body as object))
      t.match(
        login.cookies[1],
        /^refresh_token=[\w-]{75}; Max-Age=1209600; Path=\/auth; HttpOnly; Secure; SameSite=Strict$/
      )

      const answer = await call(service, 'POST /auth/refresh', { cookie: cookiesOf(login) })
      t.equal(answer.status, 200)
      t.notOk('refresh_token' in (answer.body as object))
      t.match(answer.cookies, [/^access_token=ey/, /^refresh_token=[\w-]{75};/])
      t.equal((await call(service, 'POST /auth/refresh', { cookie: cookiesOf(answer) })).status, 200)
    })

    await t.test(
      'a browser whose refresh fails is told to forget its cookies, with their own attributes',
      async (t) => {
        const answer = await call(service, 'POST /auth/refresh', { cookie: 'refresh_token=nonsense' })
        t.equal(answer.status, 401)
        t.match(answer.cookies, [
          /^access_token=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970.*; HttpOnly; Secure; SameSite=Lax$/,
          /^refresh_token=; Max-Age=0; Path=\/auth; Expires=Thu, 01 Jan 1970.*; HttpOnly; Secure; SameSite=Strict$/
        ])
        t.equal((await call(service, 'POST /auth/refresh')).status, 401, 'no cookie at all is the same')
      }
    )

    await t.test('logout ends the session by any of its tokens, however old', async (t) => {
      const { username, password } = person
      const login = await call(service, 'POST /auth/login', { json: { username, password } })
      const refreshCookie = cookiesOf(login).split('; ')[1]!
      t.equal((await call(service, 'POST /auth/logout', { cookie: refreshCookie })).status, 200)
      t.equal((await call(service, 'GET /authz', { cookie: cookiesOf(login) })).status, 401)
      t.equal((await call(service, 'POST /auth/refresh', { cookie: refreshCookie })).status, 401)
      t.equal((await call(service, 'POST /auth/logout', { cookie: refreshCookie })).status, 200, 'again is no fault')
    })
  })
}

await t.test('by the clock of the database', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  const passTime = (what: string) => sql(service, `update sessions set ${what}`)

  await t.test('the predecessor, used after the interval, ends the session', async (t) => {
    const r0 = (await startSession(service, person)).refresh_token
    const r1 = ((await refresh(service, r0)).body as Tokens).refresh_token
    await passTime(`rotated_at = rotated_at - interval '11 seconds'`)
    t.match((await refresh(service, r0)).body, { code: 'refresh_token_reused' })
    t.match((await refresh(service, r1)).body, { code: 'refresh_token_invalid' })
    const [event] = await sql(
      service,
      `select user_id, ip, details from audit_events where type = 'session.reuse_detected'`
    )
    t.match(event, { user_id: person.id, ip: '127.0.0.1', details: { session_id: /^[0-9a-f-]{36}$/ } })
  })

  await t.test('a clock that is set back an hour makes no spent token good again', async (t) => {
    const r0 = (await startSession(service, person)).refresh_token
    const r1 = ((await refresh(service, r0)).body as Tokens).refresh_token
    await passTime(`rotated_at = now() + interval '59 minutes 49 seconds'`)
    t.match((await refresh(service, r0)).body, { code: 'refresh_token_reused' })
    t.match((await refresh(service, r1)).body, { code: 'refresh_token_invalid' })
  })

  await t.test('a clock that is set back a little does not make a racing tab a thief', async (t) => {
    const r0 = (await startSession(service, person)).refresh_token
    await refresh(service, r0)
    await passTime(`rotated_at = now() + interval '5 seconds'`)
    t.equal((await refresh(service, r0)).status, 200)
  })

  await t.test('a session that was not used for REFRESH_TOKEN_EXPIRE_DAYS has ended', async (t) => {
    const { refresh_token } = await startSession(service, person)
    await passTime(`last_used_at = now() - interval '14 days 1 second'`)
    t.match((await refresh(service, refresh_token)).body, { code: 'refresh_token_invalid' })
  })

  await t.test('a session ends at SESSION_MAX_DAYS however often it is used, and says so in time', async (t) => {
    const { refresh_token } = await startSession(service, person)
    await passTime(`expires_at = now() + interval '1 hour'`)
    const answer = await refresh(service, refresh_token)
    const { refresh_expires_in } = answer.body as Tokens
    t.ok(refresh_expires_in > 3590 && refresh_expires_in <= 3600, String(refresh_expires_in))
    await passTime(`expires_at = now() - interval '1 second'`)
    t.match((await refresh(service, (answer.body as Tokens).refresh_token)).body, { code: 'refresh_token_invalid' })
  })

  await t.test('REFRESH_REUSE_INTERVAL_SECONDS=0 lets each token be used once', async (t) => {
    const strict = await startService(t, { ...service.env, REFRESH_REUSE_INTERVAL_SECONDS: '0' })
    const { refresh_token } = await startSession(strict, person)
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(strict, refresh_token)))
    t.equal(answers.filter((answer) => answer.status === 200).length, 1)
    t.equal(answers.filter((answer) => answer.status === 401).length, 19)
  })

  await t.test('a disabled user refreshes no more', async (t) => {
    const { refresh_token } = await startSession(service, person)
    await sql(service, `update users set is_disabled = true where id = ${String(person.id)}`)
    t.match((await refresh(service, refresh_token)).body, { code: 'refresh_token_invalid' })
    await sql(service, `update users set is_disabled = false where id = ${String(person.id)}`)
  })
})
