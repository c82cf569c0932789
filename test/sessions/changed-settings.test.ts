import t from 'tap'
import { call, cookiesOf, registerPerson, startSession, type Tokens } from '../support/client.ts'
import { es256, forge, partsOf, signingKeyOf } from '../support/forge.ts'
import { createClient, introspect } from '../support/service-client.ts'
import { createFolder, type Service, sql, startService } from '../support/service.ts'

// docs/settings-and-sessions.md: what a user who is logged in notices of a setting that changes. Each instance here is
// what the first one would be after a restart with other settings.
const before = await startService(t, { ACCESS_TOKEN_EXPIRE_MINUTES: '60' })
const person = await registerPerson(before)
const client = await createClient(before)
const { key } = signingKeyOf(before)

const refresh = (service: Service, refresh_token: string) =>
  call(service, 'POST /auth/refresh', { json: { refresh_token } })

const restart = (env: Record<string, string>) => startService(t, { ...before.env, ...env })

const seconds = () => Math.floor(Date.now() / 1000)

/** A session whose access token is so many seconds old. */
async function startSessionAgo(age: number): Promise<Tokens & { sid: string; iat: number }> {
  const session = await startSession(before, person)
  const { header, payload } = partsOf(session.access_token)
  const iat = seconds() - age
  const access_token = forge(header, { ...payload, iat, exp: iat + 3600 }, es256(key))
  return { ...session, access_token, sid: payload.sid as string, iat }
}

const moveSession = (sid: string, what: string) => sql(before, `update sessions set ${what} where id = '${sid}'`)

/** Runs the process, and the services in it, by a clock that is ahead. */
async function ahead<T>(by: number, work: () => Promise<T>): Promise<T> {
  const { now } = Date
  Date.now = () => now() + by * 1000
  try {
    return await work()
  } finally {
    Date.now = now
  }
}

await t.test('stricter limits', async (t) => {
  const service = await restart({
    ACCESS_TOKEN_EXPIRE_MINUTES: '1',
    REFRESH_TOKEN_EXPIRE_DAYS: '5',
    SESSION_MAX_DAYS: '7',
    REFRESH_REUSE_INTERVAL_SECONDS: '0'
  })

  await t.test('ACCESS_TOKEN_EXPIRE_MINUTES: a token ends when one that is issued now would', async (t) => {
    const old = await startSessionAgo(120)
    t.equal((await call(before, 'GET /authz', { bearer: old.access_token })).status, 204)
    for (const credential of [{ bearer: old.access_token }, { cookie: `access_token=${old.access_token}` }]) {
      for (const path of ['/authz', '/auth/me'] as const) {
        const answer = await call(service, `GET ${path}`, credential)
        t.equal(answer.status, 401)
        if (path === '/auth/me') t.match(answer.body, { code: 'token_expired' })
      }
    }
    t.equal(await introspect(service, client, old.access_token), '{"active":false}')
    t.equal((await refresh(service, old.refresh_token)).status, 200, 'and a refresh brings the next')
  })

  await t.test('introspection says when it ends, and what was verified before ends then, too', async (t) => {
    const young = await startSessionAgo(10)
    t.equal((await call(service, 'GET /authz', { bearer: young.access_token })).status, 204)
    t.match(JSON.parse(await introspect(service, client, young.access_token)), { iat: young.iat, exp: young.iat + 60 })
    t.match(JSON.parse(await introspect(before, client, young.access_token)), { exp: young.iat + 3600 })
    await ahead(51, async () => {
      t.equal((await call(service, 'GET /authz', { bearer: young.access_token })).status, 401)
      t.equal(await introspect(service, client, young.access_token), '{"active":false}')
    })
  })

  await t.test('what was revoked stays so, however long it was meant to live', async (t) => {
    const revoked = await startSessionAgo(0)
    await call(before, 'POST /auth/logout', { bearer: revoked.access_token })
    // As long ago as the token can have lived here, clocks that differ and slow transactions included.
    await sql(before, `update revocations set created_at = now() - interval '170 seconds'`)
    const later = await restart({ ACCESS_TOKEN_EXPIRE_MINUTES: '1' })
    t.match((await call(later, 'GET /auth/me', { bearer: revoked.access_token })).body, { code: 'token_revoked' })
    t.equal((await call(later, 'GET /authz', { bearer: revoked.access_token })).status, 401)

    await sql(before, `update revocations set created_at = now() - interval '59 minutes'`)
    t.equal((await restart({ ACCESS_TOKEN_EXPIRE_MINUTES: '1' })).app.revocations.size(), 0, 'no more than it needs')
    t.ok((await restart({})).app.revocations.size() > 0, 'while longer tokens ask for more')
  })

  await t.test('SESSION_MAX_DAYS: a session that is older has ended', async (t) => {
    const old = await startSessionAgo(0)
    await moveSession(old.sid, `created_at = now() - interval '7 days 1 second'`)
    t.equal((await call(before, 'GET /auth/me', { bearer: old.access_token })).status, 200)
    t.match((await call(service, 'GET /auth/me', { bearer: old.access_token })).body, { code: 'token_revoked' })
    const living = await startSessionAgo(0)
    const sessions = (await call(service, 'GET /auth/sessions', { bearer: living.access_token })).body as {
      items: { id: string }[]
    }
    t.notOk(sessions.items.some(({ id }) => id === old.sid))
    t.match((await refresh(service, old.refresh_token)).body, { code: 'refresh_token_invalid' })
    t.equal((await refresh(before, old.refresh_token)).status, 200, 'and has not under the limit of before')
  })

  await t.test('SESSION_MAX_DAYS: a session that is younger ends in time, and says when', async (t) => {
    const young = await startSessionAgo(0)
    await moveSession(young.sid, `created_at = now() - interval '6 days 23 hours'`)
    const { items } = (await call(service, 'GET /auth/sessions', { bearer: young.access_token })).body as {
      items: { id: string; expires_at: string }[]
    }
    const end = Date.parse(items.find(({ id }) => id === young.sid)!.expires_at) / 1000 - seconds()
    t.ok(end > 3590 && end <= 3601, String(end))
    const { refresh_expires_in, refresh_token } = (await refresh(service, young.refresh_token)).body as Tokens
    t.ok(refresh_expires_in > 3590 && refresh_expires_in <= 3600, String(refresh_expires_in))
    const answer = await call(service, 'POST /auth/refresh', { cookie: `refresh_token=${refresh_token}` })
    t.match(answer.cookies[1], /Max-Age=3(600|59\d);/)
  })

  await t.test('REFRESH_TOKEN_EXPIRE_DAYS: a session that was not used for so long has ended', async (t) => {
    const unused = await startSessionAgo(0)
    await moveSession(unused.sid, `last_used_at = now() - interval '5 days 1 second'`)
    t.match((await refresh(service, unused.refresh_token)).body, { code: 'refresh_token_invalid' })
    t.equal((await refresh(before, unused.refresh_token)).status, 200)
  })

  await t.test(
    'REFRESH_REUSE_INTERVAL_SECONDS: what was spent before the change is judged by the new one',
    async (t) => {
      const { refresh_token } = await startSessionAgo(0)
      t.equal((await refresh(before, refresh_token)).status, 200)
      t.equal((await refresh(before, refresh_token)).status, 200)
      t.match((await refresh(service, refresh_token)).body, { code: 'refresh_token_reused' })
    }
  )
})

await t.test('looser limits hold for what is issued from then on', async (t) => {
  const short = await restart({ ACCESS_TOKEN_EXPIRE_MINUTES: '1', SESSION_MAX_DAYS: '14' })
  const session = await startSession(short, person)
  const { iat, exp } = partsOf(session.access_token).payload
  t.equal(exp, (iat as number) + 60)
  t.match(JSON.parse(await introspect(before, client, session.access_token)), { exp })
  const [row] = await sql<{ days: number }>(
    before,
    `select extract(day from expires_at - created_at)::integer as days from sessions order by created_at desc limit 1`
  )
  t.equal(row?.days, 14)
  t.match((await refresh(before, session.refresh_token)).body, { expires_in: 3600 })
})

await t.test('ISSUER and AUDIENCE: access tokens are void, and a refresh brings new ones', async (t) => {
  const service = await restart({ ISSUER: 'http://other.test', AUDIENCE: 'other' })
  const session = await startSession(before, person)
  t.match((await call(service, 'GET /auth/me', { bearer: session.access_token })).body, { code: 'token_invalid' })
  const { access_token } = (await refresh(service, session.refresh_token)).body as Tokens
  t.equal((await call(service, 'GET /auth/me', { bearer: access_token })).status, 200)
})

await t.test('KEYS_DIR: with other keys nobody is logged in any more', async (t) => {
  const service = await restart({ KEYS_DIR: createFolder(t) })
  const session = await startSession(before, person)
  t.match((await call(service, 'GET /auth/me', { bearer: session.access_token })).body, { code: 'token_invalid' })
  t.match((await refresh(service, session.refresh_token)).body, { code: 'refresh_token_invalid' })
  t.equal((await refresh(before, session.refresh_token)).status, 200, 'and back again with the old ones')
})

await t.test('COOKIE_PREFIX: a browser has to log in again, since its cookies have other names', async (t) => {
  const service = await restart({ COOKIE_PREFIX: 'on' })
  const { username, password } = person
  const login = await call(before, 'POST /auth/login', { json: { username, password } })
  t.equal((await call(service, 'GET /auth/me', { cookie: cookiesOf(login) })).status, 401)
  t.equal((await call(service, 'POST /auth/refresh', { cookie: cookiesOf(login) })).status, 401)
  const { refresh_token } = await startSession(before, person)
  t.equal((await refresh(service, refresh_token)).status, 200, 'a client that keeps its tokens does not notice')
})

await t.test('what decides about cookies, passwords and addresses to come leaves sessions alone', async (t) => {
  const service = await restart({
    COOKIE_DOMAIN: 'example.com',
    COOKIE_SECURE: 'false',
    RATE_LIMIT: 'on',
    REQUIRE_VERIFIED_EMAIL: 'on',
    PASSWORD_MIN_LENGTH: '40',
    ARGON2_ITERATIONS: '2'
  })
  const { username, password } = person
  const login = await call(before, 'POST /auth/login', { json: { username, password } })
  const cookie = cookiesOf(login)
  t.equal((await call(service, 'GET /auth/me', { cookie })).status, 200)
  t.equal((await call(service, 'POST /auth/refresh', { cookie })).status, 401, 'not verified')
  t.equal((await call(service, 'POST /auth/login', { json: { username, password } })).status, 401, 'not verified')
  await sql(before, 'update users set email_verified = true')
  t.equal((await call(service, 'POST /auth/refresh', { cookie })).status, 200, 'the session has waited')
  const hash = async () => (await sql<{ password: string }>(before, 'select password from users'))[0]
  t.match(await hash(), { password: /t=1/ })
  t.equal((await call(service, 'POST /auth/login', { json: { username, password } })).status, 200, 'however short')
  t.match(await hash(), { password: /t=2/ }, 'and the hash has the new cost')
})
