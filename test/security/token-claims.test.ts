import t from 'tap'
import { call, startSession } from '../support/client.ts'
import { es256, forge, type Part } from '../support/forge.ts'
import { startService } from '../support/service.ts'
import { now, startTokenTarget } from '../support/token-target.ts'

const { service, person, good, segments, key, signed, refused } = await startTokenTarget(t)
const [head, body, signature] = segments

await t.test('a token that has expired is refused, and says so', async (t) => {
  await refused(
    t,
    { 'a second ago': signed({ iat: now() - 900, exp: now() - 1 }), 'long ago': signed({ iat: 1, exp: 2 }) },
    'token_expired'
  )
})

await t.test('exp, iat and nbf are there, are numbers, and make sense', async (t) => {
  const raw = (claim: string, value: string) =>
    forge(good.header, JSON.stringify({ ...good.payload, [claim]: 'HERE' }).replace('"HERE"', value), es256(key))
  await refused(t, {
    'no exp': signed({ exp: undefined }),
    'exp as a string': signed({ exp: String(now() + 900) }),
    'exp null': signed({ exp: null }),
    'exp as an array': signed({ exp: [now() + 900] }),
    'exp 1e300': signed({ exp: 1e300 }),
    'exp infinite': raw('exp', '1e999'),
    'exp NaN': raw('exp', 'NaN'),
    'exp with a fraction': signed({ exp: now() + 900.5 }),
    'exp in milliseconds': signed({ exp: (now() + 900) * 1000 }),
    'iat in an hour': signed({ iat: now() + 3600, exp: now() + 7200 }),
    'no iat': signed({ iat: undefined }),
    'iat as a string': signed({ iat: String(now()) }),
    'iat negative': signed({ iat: -1 }),
    'nbf in an hour': signed({ nbf: now() + 3600 }),
    'nbf as a string': signed({ nbf: 'soon' })
  })
  for (const [title, claims] of Object.entries({
    'exp negative': { exp: -1 },
    'exp zero': { exp: 0 },
    'exp not after iat': { iat: now() + 4, exp: now() + 4 }
  })) {
    t.equal((await call(service, 'GET /auth/me', { bearer: signed(claims) })).status, 401, title)
  }
})

await t.test('a token from an instance whose clock is ahead or behind by up to a minute is good', async (t) => {
  for (const skew of [-60, -30, -5, 0, 5, 30, 59]) {
    const bearer = signed({ iat: now() + skew, exp: now() + skew + 900 })
    t.equal((await call(service, 'GET /authz', { bearer })).status, 204, `${String(skew)} s`)
  }
  await refused(t, { 'ahead by more': signed({ iat: now() + 70, exp: now() + 970 }) })
})

await t.test('issuer and audience are compared whole', async (t) => {
  const tokens: Record<string, string> = {}
  for (const [claim, own] of [
    ['iss', 'http://gatehouse.test'],
    ['aud', 'gatehouse']
  ] as const) {
    t.equal(good.payload[claim], own)
    for (const value of [
      undefined,
      null,
      '',
      [own],
      [own, 'other'],
      { own },
      `${own}x`,
      own.slice(0, -1),
      `${own}/`,
      ` ${own}`,
      own.toUpperCase(),
      'https://evil.example',
      7,
      true
    ]) {
      tokens[`${claim} ${JSON.stringify(value)}`] = signed({ [claim]: value })
    }
  }
  await refused(t, tokens)
})

await t.test('a token for one service is refused by another that has the same keys', async (t) => {
  const other = await startService(t, { ...service.env, AUDIENCE: 'another-service' })
  t.equal((await call(other, 'GET /authz', { bearer: person.token })).status, 401)
  const renamed = await startService(t, { ...service.env, ISSUER: 'http://gatehouse.test:8080' })
  t.equal((await call(renamed, 'GET /authz', { bearer: person.token })).status, 401)
  const twin = await startService(t, service.env)
  t.equal((await call(twin, 'GET /authz', { bearer: person.token })).status, 204, 'the same service takes it')
})

await t.test('only what says that it is an access token is one', async (t) => {
  const tokens: Record<string, string> = {}
  for (const typ of [
    undefined,
    null,
    '',
    'JWT',
    'jwt',
    'id+jwt',
    'rt+jwt',
    'logout+jwt',
    'at+jwtx',
    'x-at+jwt',
    7,
    ['at+jwt'],
    { 'at+jwt': 1 }
  ]) {
    tokens[`typ ${JSON.stringify(typ)}`] = signed({}, { typ })
  }
  for (const type of [undefined, null, 'refresh', 'id', 'ACCESS', ['access']]) {
    tokens[`type ${JSON.stringify(type)}`] = signed({ type })
  }
  await refused(t, tokens)
})

await t.test('access and refresh tokens do not stand for each other', async (t) => {
  const { access_token, refresh_token } = await startSession(service, person)
  await refused(t, { 'a refresh token as the access token': refresh_token })
  const inBody = await call(service, 'POST /auth/refresh', { json: { refresh_token: access_token } })
  t.match([inBody.status, inBody.body], [401, { code: 'refresh_token_invalid' }])
  const inCookie = await call(service, 'POST /auth/refresh', { cookie: `refresh_token=${access_token}` })
  t.match([inCookie.status, inCookie.body], [401, { code: 'refresh_token_invalid' }])
  t.equal((await call(service, 'GET /auth/me', { cookie: `refresh_token=${access_token}` })).status, 401)
  t.equal((await call(service, 'POST /auth/refresh', { json: { refresh_token } })).status, 200, 'it is still good')
})

await t.test('claims that are not ours are refused although our key has signed them', async (t) => {
  await refused(t, {
    'sub of a service client': signed({ sub: 'client:abc' }),
    'sub zero': signed({ sub: '0' }),
    'sub negative': signed({ sub: '-1' }),
    'sub with a leading zero': signed({ sub: `0${String(person.id)}` }),
    'sub beyond what the database counts': signed({ sub: '2147483648' }),
    'sub of ten digits': signed({ sub: '9999999999' }),
    'sub as a number': signed({ sub: person.id }),
    'no sub': signed({ sub: undefined }),
    'sid no UUID': signed({ sid: "' OR 1=1--" }),
    'no sid': signed({ sid: undefined }),
    'ver as a string': signed({ ver: '1' }),
    'ver beyond what the database counts': signed({ ver: 2 ** 40 }),
    'no ver': signed({ ver: undefined }),
    'no jti': signed({ jti: undefined }),
    'a role that is a string': signed({ is_admin: 'false' }),
    'a role that is missing': signed({ is_admin: undefined }),
    'no username': signed({ username: undefined }),
    'a username that would break a header': signed({ username: 'alice\r\nx-auth-request-groups: admin' }),
    'a username that no header can hold': signed({ username: '愛' })
  })
  t.equal(service.log.filter((line) => line.includes('"level":50')).length, 0, 'nothing failed inside')
})

await t.test('the odd corners of JWS do no harm', async (t) => {
  const deep = `${'['.repeat(3000)}${']'.repeat(3000)}`
  const withExtra = (name: string, json: string) => JSON.stringify(good.payload).replace('{', `{"${name}":${json},`)
  const parts: Record<string, [header: Part, payload: Part]> = {
    'an extension that must be understood': [{ ...good.header, crit: ['exp'], exp: now() }, good.payload],
    'an unknown extension': [{ ...good.header, crit: ['x'], x: 1 }, good.payload],
    'an extension that is not there': [{ ...good.header, crit: ['x'] }, good.payload],
    'no extensions': [{ ...good.header, crit: [] }, good.payload],
    'crit that is no array': [{ ...good.header, crit: 'x' }, good.payload],
    'an unencoded payload': [{ ...good.header, b64: false, crit: ['b64'] }, good.payload],
    'a payload that is an array': [good.header, JSON.stringify([good.payload])],
    'a payload that is null': [good.header, 'null'],
    'a payload that is a number': [good.header, '1'],
    'a payload that is a string': [good.header, '"x"'],
    'an empty payload': [good.header, ''],
    'half of a payload': [good.header, '{"iss":'],
    'a header that is an array': ['[]', good.payload],
    'a header that is null': ['null', good.payload],
    'half of a header': ['{', good.payload],
    'a deep payload': [good.header, deep],
    'a deep header': [deep, good.payload]
  }
  const tokens = Object.fromEntries(
    Object.entries(parts).map(([title, [header, payload]]) => [title, forge(header, payload, es256(key))])
  )
  await refused(t, {
    ...tokens,
    dots: '...',
    'more dots': '.....',
    'one dot': '.',
    'five parts, as of an encrypted token': `${person.token}.${body}.${signature}`,
    'not base64url': '!.!.!',
    'a brace': '{',
    'a word': 'null',
    'a JSON token': JSON.stringify({ payload: body, protected: head, signature }).replaceAll('"', "'")
  })
  const own = await call(service, 'GET /auth/me', {
    bearer: forge(good.header, withExtra('__proto__', '{"is_admin":true}'), es256(key))
  })
  t.ok([200, 401].includes(own.status), 'a payload with __proto__ is refused, or means nothing')
  t.equal(
    (
      await call(service, 'GET /authz/admin', {
        bearer: forge(good.header, withExtra('__proto__', '{"is_admin":true}'), es256(key))
      })
    ).status === 204,
    false
  )
})

await t.test('a token of 100 kB is more than a header may hold', async (t) => {
  const answer = await call(service, 'GET /auth/me', { bearer: signed({ padding: 'x'.repeat(75_000) }) })
  t.match([answer.status, answer.body], [431, { code: 'headers_too_large' }])
})
