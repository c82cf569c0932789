import t from 'tap'
import { call, type CallOptions, registerPerson } from '../support/client.ts'
import { startService } from '../support/service.ts'

const issuer = 'https://auth.example.com'
const app = 'https://app.example.com'
const env = { ISSUER: issuer, CORS_ORIGINS: `${app}, https://other.example.com:8443` }

/** What browsers send along, and whether a request with cookies may pass then. */
const senders: [title: string, headers: Record<string, string>, passes: boolean][] = [
  ['no browser', {}, true],
  ['a page of the service', { 'sec-fetch-site': 'same-origin', origin: issuer }, true],
  ['the address bar', { 'sec-fetch-site': 'none' }, true],
  ['a listed origin', { 'sec-fetch-site': 'same-site', origin: app }, true],
  ['a listed origin on another site', { 'sec-fetch-site': 'cross-site', origin: app }, true],
  ['a listed origin in an old browser', { origin: app }, true],
  ['its origin in an old browser', { origin: issuer }, true],
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, false],
  ['another site that hides its origin', { 'sec-fetch-site': 'cross-site', origin: 'null' }, false],
  ['another site without an origin', { 'sec-fetch-site': 'cross-site' }, false],
  ['a sibling', { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' }, false],
  ['a sibling without an origin', { 'sec-fetch-site': 'same-site' }, false],
  ['another site in an old browser', { origin: 'https://evil.example' }, false],
  ['a sandbox in an old browser', { origin: 'null' }, false],
  ['an origin that starts like a listed one', { origin: `${app}.evil.example` }, false],
  ['an origin that ends like a listed one', { origin: 'https://evil-app.example.com' }, false],
  ['a listed host without TLS', { origin: 'http://app.example.com' }, false],
  ['a listed host on another port', { origin: `${app}:8443` }, false],
  ['a listed origin with a path', { origin: `${app}/` }, false],
  ['a listed origin in capitals', { origin: app.toUpperCase() }, false],
  ['two origins', { origin: `${app}, https://evil.example` }, false],
  [
    'metadata that nobody sends',
    { 'sec-fetch-site': 'same-origin, cross-site', origin: 'https://evil.example' },
    false
  ],
  ['empty metadata', { 'sec-fetch-site': '', origin: 'https://evil.example' }, false]
]

await t.test('requests that browsers send with cookies', async (t) => {
  const service = await startService(t, env)
  const person = await registerPerson(service)
  const { username, password } = person

  const actions: [operation: `${string} /${string}`, options: () => CallOptions][] = [
    ['POST /auth/login', () => ({ json: { username, password } })],
    ['POST /auth/login', () => ({ json: { username, password, transport: 'cookie' } })],
    ['POST /auth/logout', () => ({})],
    ['POST /auth/logout', () => ({ cookie: 'access_token=rubbish' })],
    ['PATCH /auth/me', () => ({ cookie: `access_token=${person.token}`, json: { first_name: 'Ada' } })],
    ['POST /authz', () => ({ cookie: `access_token=${person.token}` })]
  ]
  for (const [sender, headers, passes] of senders) {
    for (const [operation, options] of actions) {
      const answer = await call(service, operation, { ...options(), headers })
      if (passes) {
        t.ok(answer.status === 200 || answer.status === 204, `${operation} from ${sender}`)
      } else {
        t.equal(answer.status, 403, `${operation} from ${sender}`)
        t.match(answer.body, { code: 'cross_origin_refused', detail: 'Cross-origin request refused' })
        t.same(answer.cookies, [], 'and nothing is set or deleted')
      }
    }
  }

  await t.test('a refused logout ends nothing', async (t) => {
    const cookie = `access_token=${person.token}`
    const refused = await call(service, 'POST /auth/logout', { cookie, headers: { 'sec-fetch-site': 'cross-site' } })
    t.equal(refused.status, 403)
    t.equal((await call(service, 'GET /auth/me', { cookie })).status, 200)
  })

  await t.test('bearer requests pass from anywhere: no browser adds a token by itself', async (t) => {
    for (const [sender, headers] of senders) {
      const patch = await call(service, 'PATCH /auth/me', {
        bearer: person.token,
        headers,
        json: { first_name: 'Ada' }
      })
      t.equal(patch.status, 200, `PATCH from ${sender}`)
      const login = await call(service, 'POST /auth/login', {
        headers,
        json: { username, password, transport: 'bearer' }
      })
      t.equal(login.status, 200, `login from ${sender}`)
    }
  })

  await t.test('another authorization scheme beside a cookie is no way around', async (t) => {
    const answer = await call(service, 'PATCH /auth/me', {
      cookie: `access_token=${person.token}`,
      headers: { authorization: 'Basic YTpi', origin: 'https://evil.example' },
      json: { first_name: 'Eve' }
    })
    t.equal(answer.status, 403)
  })

  await t.test('reading with a cookie is left to the browser’s own rules', async (t) => {
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    const me = await call(service, 'GET /auth/me', { cookie: `access_token=${person.token}`, headers })
    t.equal(me.status, 200)
    t.equal(me.headers.get('access-control-allow-origin'), null, 'which do not let that page see the answer')
  })
})

await t.test('forward-auth holds a cookie to what the proxied request does, not to how the proxy asks', async (t) => {
  const service = await startService(t, env)
  const cookie = `access_token=${(await registerPerson(service)).token}`
  const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  const reading: Record<string, string>[] = [
    {},
    { 'x-forwarded-method': 'GET' },
    { 'x-original-method': 'HEAD' },
    { 'x-forwarded-method': 'OPTIONS', 'x-original-method': 'GET' }
  ]
  const changing: Record<string, string>[] = [
    { 'x-forwarded-method': 'POST' },
    { 'x-original-method': 'DELETE' },
    { 'x-forwarded-method': 'GET', 'x-original-method': 'PATCH' },
    { 'x-forwarded-method': 'PUT', 'x-original-method': 'GET' },
    { 'x-forwarded-method': 'GET, POST' },
    { 'x-forwarded-method': 'get' },
    { 'x-forwarded-method': 'PROPFIND' },
    { 'x-forwarded-method': '' },
    // A page elsewhere may open a WebSocket, with cookies, and no rule of the browser keeps it from reading the answers.
    { 'sec-websocket-version': '13' }
  ]
  for (const path of ['/authz', '/authz/reader']) {
    for (const headers of reading) {
      const answer = await call(service, `GET ${path}` as 'GET /', { cookie, headers: { ...foreign, ...headers } })
      t.equal(answer.status, 204, `${path} by ${JSON.stringify(headers)} of another site`)
    }
    for (const headers of changing) {
      const ask = (operation: string, sender: Record<string, string>) =>
        call(service, `${operation} ${path}` as 'GET /', { cookie, headers: { ...headers, ...sender } })
      const what = `${path} by ${JSON.stringify(headers)}`
      t.match(await ask('GET', foreign), { status: 403, body: { code: 'cross_origin_refused' } }, what)
      t.equal((await ask('GET', { 'sec-fetch-site': 'same-origin' })).status, 204, `${what} of its own page`)
      t.equal((await ask('GET', {})).status, 204, `${what} of no browser`)
      const bearer = cookie.slice('access_token='.length)
      const withBearer = await call(service, `GET ${path}` as 'GET /', { bearer, headers: { ...headers, ...foreign } })
      t.equal(withBearer.status, 204, `${what} with a token that no browser adds`)
    }
    const unsafe = { cookie, headers: { ...foreign, 'x-forwarded-method': 'GET', 'x-original-method': 'GET' } }
    t.equal((await call(service, `POST ${path}` as 'POST /', unsafe)).status, 403, 'a header makes no POST safe')
  }
  const elsewhere = { cookie, headers: { ...foreign, 'x-forwarded-method': 'POST' } }
  t.equal(
    (await call(service, 'GET /auth/me', elsewhere)).status,
    200,
    'where nobody is asked for another, it is a header'
  )
})

await t.test('CORS', async (t) => {
  const service = await startService(t, env)
  const person = await registerPerson(service)

  for (const origin of [app, 'https://other.example.com:8443']) {
    const { headers } = await call(service, 'GET /auth/me', { headers: { origin } })
    t.equal(headers.get('access-control-allow-origin'), origin)
    t.equal(headers.get('access-control-allow-credentials'), 'true')
    t.match(headers.get('vary'), /\borigin\b/i)
    const preflight = await call(service, 'OPTIONS /auth/me', {
      headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'content-type' }
    })
    t.equal(preflight.status, 204)
    t.equal(preflight.headers.get('access-control-allow-origin'), origin)
    t.equal(preflight.headers.get('access-control-allow-methods'), 'GET, POST, PATCH, DELETE')
    t.equal(preflight.headers.get('access-control-allow-headers'), 'authorization, content-type')
    t.match(preflight.headers.get('vary'), /\borigin\b/i)
  }

  const strangers = [
    'null',
    'https://evil.example',
    `${app}.evil.example`,
    'https://evil-app.example.com',
    'http://app.example.com',
    `${app}:8443`,
    `${app}/`,
    'https://other.example.com',
    'https://APP.example.com',
    '*'
  ]
  for (const origin of strangers) {
    const get = await call(service, 'GET /auth/me', { bearer: person.token, headers: { origin } })
    const preflight = await call(service, 'OPTIONS /auth/me', {
      headers: { origin, 'access-control-request-method': 'GET' }
    })
    for (const { headers } of [get, preflight]) {
      t.equal(headers.get('access-control-allow-origin'), null, origin)
      t.match(headers.get('vary'), /\borigin\b/i)
    }
  }
})

await t.test('without CORS_ORIGINS no page elsewhere is let in', async (t) => {
  const service = await startService(t)
  const preflight = await call(service, 'OPTIONS /auth/me', {
    headers: { origin: app, 'access-control-request-method': 'GET' }
  })
  t.equal(preflight.status, 401, 'OPTIONS is a method like any other')
  for (const { headers } of [preflight, await call(service, 'GET /auth/me', { headers: { origin: app } })]) {
    t.same(
      [...headers.keys()].filter((name) => name.startsWith('access-control-')),
      []
    )
  }
})

await t.test('a preflight is never the answer of a forward-auth check', async (t) => {
  for (const origins of ['', app]) {
    const service = await startService(t, { CORS_ORIGINS: origins })
    const { token } = await registerPerson(service)
    const headers = { origin: app, 'access-control-request-method': 'GET' }
    for (const path of ['/authz', '/authz/reader', '/authz/author', '/authz/', '/authz/reader/', '/authz/some/page']) {
      const stranger = await call(service, `OPTIONS ${path}` as `OPTIONS /${string}`, { headers })
      t.ok([401, 404].includes(stranger.status), `OPTIONS ${path} answered ${String(stranger.status)}`)
    }
    t.equal((await call(service, 'OPTIONS /authz/reader', { headers, bearer: token })).status, 204, 'a reader passes')
    t.equal((await call(service, 'OPTIONS /authz/author', { headers, bearer: token })).status, 403)
    t.equal((await call(service, 'OPTIONS /authz/some/page', { headers, bearer: token })).status, 404)
  }
})
