import t from 'tap'
import { call, cookiesOf, registerPerson } from '../support/client.ts'
import { startService } from '../support/service.ts'

/** The attributes of a cookie line, without its value and its dates. */
const attributesOf = (line: string | undefined) =>
  (line ?? '')
    .split('; ')
    .slice(1)
    .filter((attribute) => !/^(Max-Age|Expires)=/.test(attribute))
    .sort()

const settings: [title: string, env: Record<string, string>, name: string, attributes: string[]][] = [
  ['by default', {}, 'access_token', ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure']],
  [
    'COOKIE_PREFIX=on',
    { COOKIE_PREFIX: 'on' },
    '__Host-access_token',
    ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure']
  ],
  [
    'COOKIE_DOMAIN',
    { COOKIE_DOMAIN: 'example.com' },
    'access_token',
    ['Domain=example.com', 'HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure']
  ],
  ['COOKIE_SECURE=false', { COOKIE_SECURE: 'false' }, 'access_token', ['HttpOnly', 'Path=/', 'SameSite=Lax']]
]

for (const [title, env, name, attributes] of settings) {
  await t.test(`the access token's cookie, ${title}`, async (t) => {
    const service = await startService(t, { ...env, ACCESS_TOKEN_EXPIRE_MINUTES: '5' })
    const { username, password } = await registerPerson(service)
    const login = await call(service, 'POST /auth/login', { json: { username, password } })
    const line = login.cookies.find((cookie) => cookie.startsWith(`${name}=`))
    t.match(line, new RegExp(`^${name}=ey[^;]+; Max-Age=300;`), 'lives as long as the token')
    t.same(attributesOf(line), attributes)
    t.ok((line ?? '').split(';')[0]!.length < 4096)

    t.equal((await call(service, 'GET /auth/me', { cookie: cookiesOf(login) })).status, 200)

    const logout = await call(service, 'POST /auth/logout', { cookie: cookiesOf(login) })
    const deletion = logout.cookies.find((cookie) => cookie.startsWith(`${name}=`))
    t.match(deletion, new RegExp(`^${name}=; Max-Age=0;`))
    t.same(attributesOf(deletion), attributes, 'is deleted with the attributes it was set with')
  })
}

await t.test('with COOKIE_PREFIX=on a cookie of the plain name is nobody’s', async (t) => {
  const service = await startService(t, { COOKIE_PREFIX: 'on' })
  const person = await registerPerson(service)
  const me = await call(service, 'GET /auth/me', { cookie: `access_token=${person.token}` })
  t.equal(me.status, 401)
  t.match(me.body, { code: 'not_authenticated' })
})

await t.test('tokens stay out of URLs, and out of cookies where none were asked for', async (t) => {
  const service = await startService(t)
  const { username, password, token } = await registerPerson(service)

  for (const query of [`access_token=${token}`, `token=${token}`, `authorization=Bearer%20${token}`]) {
    t.equal((await call(service, `GET /auth/me?${query}`)).status, 401, 'a token in the query is not looked at')
    t.equal((await call(service, `GET /authz?${query}`)).status, 401)
  }
  t.notOk(service.log.join('').includes(token))

  const bearer = await call(service, 'POST /auth/login', { json: { username, password, transport: 'bearer' } })
  t.equal(bearer.status, 200)
  t.same(bearer.cookies, [], 'a login by bearer sets no cookie')
  const cookie = await call(service, 'POST /auth/login', { json: { username, password } })
  t.notOk('refresh_token' in (cookie.body as object), 'a login by cookie leaves the refresh token out of the body')
})

await t.test('no answer but login and logout sets a cookie', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  const cookie = `access_token=${person.token}`
  for (const answer of [
    await call(service, 'GET /auth/me', { cookie }),
    await call(service, 'GET /authz', { cookie }),
    await call(service, 'PATCH /auth/me', { cookie, json: { first_name: 'Ada' } }),
    await call(service, 'GET /auth/me', { cookie: 'access_token=rubbish' }),
    await call(service, 'POST /auth/login', { json: { username: person.username, password: 'wrong' } }),
    await call(service, 'GET /nowhere', { cookie })
  ]) {
    t.same(answer.cookies, [], String(answer.status))
  }
})
