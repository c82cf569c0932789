import t from 'tap'
import { generateMissingKeys } from '../../src/keys/key-files.ts'
import { type Answer, call, cookiesOf, registerPerson } from '../support/client.ts'
import { createFolder, startService } from '../support/service.ts'

/** The attributes of a cookie line, without its value and its dates. */
const attributesOf = (line: string | undefined) =>
  (line ?? '')
    .split('; ')
    .slice(1)
    .filter((attribute) => !/^(Max-Age|Expires)=/.test(attribute))
    .sort()

const deletedBy = ({ cookies }: Answer) =>
  cookies.filter((line) => line.includes('; Max-Age=0;')).map((line) => line.split('=')[0] ?? '')

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

await t.test('COOKIE_DOMAIN shares the access token, and the refresh token with no other host', async (t) => {
  const service = await startService(t, { COOKIE_DOMAIN: 'example.com' })
  const { username, password } = await registerPerson(service)
  const login = await call(service, 'POST /auth/login', { json: { username, password } })
  const refreshed = await call(service, 'POST /auth/refresh', { cookie: cookiesOf(login) })
  const logout = await call(service, 'POST /auth/logout', { cookie: cookiesOf(refreshed) })
  for (const answer of [login, refreshed, logout]) {
    t.equal(answer.status, 200)
    const [own, shared, ...more] = answer.cookies.filter((line) => line.startsWith('refresh_token='))
    t.same(attributesOf(own), ['HttpOnly', 'Path=/auth', 'SameSite=Strict', 'Secure'])
    t.match(shared, /^refresh_token=; Max-Age=0; Domain=example\.com; Path=\/auth;/, 'one from before is deleted')
    t.same(more, [])
  }
})

await t.test('who logged in before COOKIE_PREFIX was turned off stays logged in, under the plain names', async (t) => {
  const prefixed = await startService(t, { COOKIE_PREFIX: 'on' })
  const { username, password } = await registerPerson(prefixed)
  const login = await call(prefixed, 'POST /auth/login', { json: { username, password } })
  const before = cookiesOf(login)
  t.match(before, /^__Host-access_token=.*; __Secure-refresh_token=/)

  const plain = await startService(t, { ...prefixed.env, COOKIE_PREFIX: 'off' })
  t.equal((await call(plain, 'GET /auth/me', { cookie: before })).status, 200)
  const refreshed = await call(plain, 'POST /auth/refresh', { cookie: before })
  t.equal(refreshed.status, 200)
  t.match(cookiesOf(refreshed), /^access_token=[^;]+; refresh_token=[^;]+$/)
  t.match(deletedBy(refreshed), ['__Host-access_token', '__Secure-refresh_token'])
  const cookie = `${before}; ${cookiesOf(refreshed)}`
  t.equal((await call(plain, 'POST /auth/refresh', { cookie })).status, 200, 'the plain one counts where both are sent')
})

await t.test('in production cookies are prefixed, plain ones are deleted, and nobody reads the document', async (t) => {
  const KEYS_DIR = createFolder(t)
  generateMissingKeys(KEYS_DIR)
  const production = {
    NODE_ENV: 'production',
    ISSUER: 'https://gatehouse.test',
    KEYS_DIR,
    ARGON2_MEMORY_KIB: '19456',
    ARGON2_ITERATIONS: '2'
  }
  const service = await startService(t, production)
  const { username, password } = await registerPerson(service)
  const plain = 'access_token=x; refresh_token=y'
  const login = await call(service, 'POST /auth/login', { json: { username, password }, cookie: plain })
  t.equal(login.status, 200)
  t.match(cookiesOf(login), /^__Host-access_token=[^;]+; __Secure-refresh_token=[^;]+; __Secure-device_token=[^;]+$/)
  t.same(deletedBy(login), ['access_token', 'refresh_token'])
  t.equal((await call(service, 'POST /auth/refresh', { cookie: cookiesOf(login) })).status, 200)
  const planted = cookiesOf(login).replaceAll(/__(Host|Secure)-/g, '')
  t.equal((await call(service, 'POST /auth/refresh', { cookie: planted })).status, 401)
  const logout = await call(service, 'POST /auth/logout', { cookie: `${cookiesOf(login)}; ${plain}` })
  t.same(deletedBy(logout).sort(), ['__Host-access_token', '__Secure-refresh_token', 'access_token', 'refresh_token'])
  for (const path of ['/docs', '/openapi.json', '/openapi-3.0.json'] as const) {
    t.equal((await call(service, `GET ${path}`)).status, 404, path)
  }
})

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
