import t from 'tap'
import { problems } from '../../src/errors.ts'
import { type Answer, call, registerPerson } from '../support/client.ts'
import { exchange } from '../support/raw.ts'
import { startService } from '../support/service.ts'

const securityHeaders: Record<string, string | RegExp> = {
  'x-content-type-options': 'nosniff',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'referrer-policy': 'no-referrer',
  'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': /DENY|SAMEORIGIN/,
  'x-request-id': /^[\w-]{8,64}$/
}

const talkative = ['server', 'x-powered-by', 'via']

const pick = ({ username, email, password }: { username: string; email: string; password: string }) => ({
  username,
  email,
  password
})

/** An answer of raw HTTP, in the form of the others. */
function parse(text: string): Pick<Answer, 'status' | 'headers' | 'body' | 'text'> {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const pairs = lines.map((line): [string, string] => [
    line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 2)
  ])
  return {
    status: Number(first.split(' ')[1]),
    headers: new Headers(pairs),
    text: body,
    body: JSON.parse(body) as unknown
  }
}

await t.test('the headers and the shape of answers', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  const json = { 'content-type': 'application/json' }

  const refusals: [title: string, answer: Pick<Answer, 'status' | 'headers' | 'body' | 'text'>, status: number][] = [
    ['no such path', await call(service, 'GET /nowhere'), 404],
    ['no such method', await call(service, 'DELETE /auth/login'), 405],
    ['a path that cannot be decoded', await call(service, 'GET /%zz'), 400],
    ['a path that cannot be decoded, under a guard', await call(service, 'GET /authz/%c3%28'), 400],
    ['a very long path', await call(service, `GET /${'a'.repeat(4000)}`), 404],
    ['an empty body', await call(service, 'POST /auth/login', { headers: json }), 400],
    ['a body that is no JSON', await call(service, 'POST /auth/login', { headers: json, raw: '{' }), 400],
    ['a body that fits no schema', await call(service, 'POST /auth/login', { json: { name: 'x' } }), 400],
    ['no token', await call(service, 'GET /auth/me'), 401],
    ['a bad token', await call(service, 'GET /auth/me', { bearer: 'x' }), 401],
    ['a wrong password', await call(service, 'POST /auth/login', { json: { username: 'x', password: 'y' } }), 401],
    ['a missing role', await call(service, 'GET /authz/admin', { bearer: person.token }), 403],
    ['another site', await call(service, 'POST /auth/logout', { headers: { origin: 'https://evil.example' } }), 403],
    ['a taken name', await call(service, 'POST /auth/registration', { json: pick(person) }), 409],
    ['a large body', await call(service, 'POST /auth/login', { headers: json, raw: `"${'x'.repeat(17_000)}"` }), 413],
    [
      'another content type',
      await call(service, 'POST /auth/login', { headers: { 'content-type': 'text/plain' }, raw: 'x' }),
      415
    ],
    ['malformed HTTP', parse(await exchange(service, 'nonsense', '', '')), 400],
    ['another protocol', parse(await exchange(service, 'GET / HTTP/9.9', 'Host: x', '', '')), 400],
    ['a malformed header', parse(await exchange(service, 'GET / HTTP/1.1', 'Host: x', 'a b: c', '', '')), 400],
    [
      'large headers',
      parse(await exchange(service, 'GET / HTTP/1.1', 'Host: x', `a: ${'x'.repeat(17_000)}`, '', '')),
      431
    ]
  ]
  for (const [title, { status, headers, body, text }, expected] of refusals) {
    t.equal(status, expected, title)
    t.match(headers.get('content-type'), /^application\/problem\+json/, title)
    t.equal(headers.get('cache-control'), 'no-store', title)
    const { code } = body as { code: keyof typeof problems }
    t.match(body, { type: `urn:gatehouse:problem:${code}`, status: expected, title: String, detail: String })
    t.equal(problems[code].status, expected, `${title}: ${code}`)
    t.equal((body as { request_id: string }).request_id, headers.get('x-request-id'), title)
    t.notMatch(
      text,
      /\bat .*\.[jt]s|node_modules|FST_|select |insert |drizzle|users_\w+_key/i,
      `${title} tells nothing of the inside`
    )
  }

  const answers: [title: string, answer: Pick<Answer, 'headers'>][] = [
    ...refusals.map(([title, answer]): [string, Pick<Answer, 'headers'>] => [title, answer]),
    [
      'a login',
      await call(service, 'POST /auth/login', { json: { username: person.username, password: person.password } })
    ],
    ['your profile', await call(service, 'GET /auth/me', { bearer: person.token })],
    ['a forward-auth check', await call(service, 'GET /authz', { bearer: person.token })],
    ['a logout', await call(service, 'POST /auth/logout')],
    ['the keys', await call(service, 'GET /.well-known/jwks.json')],
    ['liveness', await call(service, 'GET /health/live')],
    ['the API document', await call(service, 'GET /openapi.json')],
    ['the documentation', await call(service, 'GET /docs')],
    ['HEAD', await call(service, 'HEAD /auth/me')]
  ]
  for (const [title, { headers }] of answers) {
    for (const [name, value] of Object.entries(securityHeaders)) t.match(headers.get(name), value, `${title}: ${name}`)
    for (const name of talkative) t.equal(headers.get(name), null, `${title}: no ${name}`)
  }
  const cacheable = new Set(['the keys', 'the API document', 'the documentation'])
  for (const [title, { headers }] of answers) {
    if (!cacheable.has(title)) t.equal(headers.get('cache-control'), 'no-store', title)
  }
})

await t.test('methods that no route takes get nowhere', async (t) => {
  const service = await startService(t)
  const { token } = await registerPerson(service)
  for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE', 'LINK', 'QUERY']) {
    for (const path of ['/auth/me', '/auth/login', '/health/live', '/']) {
      const { status } = await call(service, `${method} ${path}` as 'GET /', { bearer: token })
      t.ok([400, 404, 405].includes(status), `${method} ${path} answered ${String(status)}`)
    }
  }
  const trace = await exchange(
    service,
    'TRACE /auth/me HTTP/1.1',
    'Host: x',
    'Cookie: secret=1',
    'Connection: close',
    '',
    ''
  )
  t.match(trace, /^HTTP\/1\.1 401 /)
  t.notMatch(trace, 'secret')
  t.equal(await exchange(service, 'CONNECT example.com:443 HTTP/1.1', 'Host: x', '', ''), '', 'CONNECT is hung up on')
  const override = { 'x-http-method-override': 'PATCH', 'x-method-override': 'PATCH', 'x-http-method': 'PATCH' }
  t.equal(
    (await call(service, 'POST /auth/me', { bearer: token, headers: override, json: { first_name: 'x' } })).status,
    405
  )
})

await t.test('metrics are not on the public port, and the documentation can be turned off', async (t) => {
  const service = await startService(t, { DOCS: 'off' })
  for (const path of ['/metrics', '/docs', '/docs/', '/openapi.json']) {
    t.equal((await call(service, `GET ${path}` as 'GET /')).status, 404, path)
  }
})
