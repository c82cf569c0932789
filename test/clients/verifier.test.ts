import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { createVerifier, type VerifierOptions } from 'gatehouse-auth-client/verifier'
import t, { type Test } from 'tap'
import { generateSigningKey, removeKey } from '../../src/keys/key-files.ts'
import { call, logIn, registerPerson } from '../support/client.ts'
import { type Consumer, serve, startConsumers } from '../support/consumers.ts'
import { eventually } from '../support/eventually.ts'
import { es256, es256Der, forge, hmac, type Part, partsOf, signingKeyOf } from '../support/forge.ts'
import { createClient, tokenOf } from '../support/service-client.ts'
import { startService } from '../support/service.ts'
import { now, startTokenTarget } from '../support/token-target.ts'

const { service, person, good, segments, kid, key, signed } = await startTokenTarget(t)
const [head, body, signature] = segments
const consumers = await startConsumers(t, service)
const trusting = { issuer: 'http://gatehouse.test', audience: 'gatehouse' } satisfies VerifierOptions

await t.test('a user is let in by role, and the handler knows who it is', async (t) => {
  for (const consumer of consumers) {
    const answer = await call(consumer, 'GET /reader', { bearer: person.token })
    t.equal(answer.status, 200, consumer.framework)
    t.match(answer.body, {
      kind: 'user',
      id: String(person.id),
      name: person.username,
      roles: ['reader'],
      claims: { sub: String(person.id), username: person.username, is_reader: true, is_admin: false }
    })
    t.equal((await call(consumer, 'GET /', { bearer: person.token })).status, 200)
    t.equal((await call(consumer, 'GET /author', { bearer: person.token })).status, 403)
  }
  await service.app.operations.updateUser({ username: person.username }, { isAuthor: true, isReader: false }, {})
  const bearer = await logIn(service, person)
  for (const consumer of consumers) {
    t.equal((await call(consumer, 'GET /author', { bearer })).status, 200, 'a new token has the new role')
    t.equal((await call(consumer, 'GET /reader', { bearer })).status, 403, 'roles are independent')
  }
})

await t.test('a service is let in by role under a subject that no user can have', async (t) => {
  const client = await createClient(service, { name: 'billing', isAuthor: true })
  const bearer = await tokenOf(service, client)
  for (const consumer of consumers) {
    const answer = await call(consumer, 'GET /author', { bearer })
    t.equal(answer.status, 200, consumer.framework)
    t.match(answer.body, { kind: 'client', id: `client:${client.id}`, roles: ['author'] })
    t.equal((await call(consumer, 'GET /admin', { bearer })).status, 403)
  }
})

await t.test('refusals are the same as those of Gatehouse itself', async (t) => {
  const reader = await registerPerson(service)
  const cases: Record<string, [path: 'reader' | 'author', headers: Record<string, string>]> = {
    'no token': ['reader', {}],
    'another scheme': ['reader', { authorization: 'Basic YTpi' }],
    'a token that is none': ['reader', { authorization: 'Bearer none' }],
    'an empty token': ['reader', { authorization: 'Bearer' }],
    'an expired token': [
      'reader',
      { authorization: `Bearer ${signed({ sub: String(reader.id), iat: now() - 900, exp: now() - 60 })}` }
    ],
    'a missing role': ['author', { authorization: `Bearer ${reader.token}` }]
  }
  for (const [title, [role, headers]] of Object.entries(cases)) {
    const own = await call(service, `GET /authz/${role}`, { headers })
    t.ok([401, 403].includes(own.status), title)
    for (const consumer of consumers) {
      const answer = await call(consumer, `GET /${role}`, { headers })
      t.equal(answer.status, own.status, `${consumer.framework}, ${title}`)
      for (const name of ['content-type', 'www-authenticate', 'cache-control']) {
        t.equal(answer.headers.get(name), own.headers.get(name), `${title}: ${name}`)
      }
      const { request_id: id, ...problem } = answer.body as Record<string, unknown>
      const { request_id: _, ...expected } = own.body as Record<string, unknown>
      t.same(problem, expected, title)
      t.type(id, 'string')
    }
  }
})

await t.test('what Gatehouse refuses is refused, however it is forged', async (t) => {
  const publicKey = createPublicKey(key)
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
  const jwks = await call(service, 'GET /.well-known/jwks.json')
  const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const attackerJwk = { ...attacker.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'mine' }
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  let visits = 0
  const address = await serve(t, (_request, response) => {
    visits += 1
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [attackerJwk] }))
  })
  const own = (header: object, payload: Part = good.payload) =>
    forge({ ...good.header, ...header }, payload, es256(key))
  const byAttacker = (header: object) => forge({ ...good.header, ...header }, good.payload, es256(attacker.privateKey))
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const respelled = `${head}.${body}.${signature.slice(0, -1)}${last[last.indexOf(signature.at(-1) ?? '') ^ 1] ?? ''}`
  const tokens: Record<string, string> = {
    ...each(['none', 'None', 'NONE', '', 'none\u0000'], (alg) => forge({ ...good.header, alg }, good.payload, '')),
    'alg none with a good signature': own({ alg: 'none' }),
    'no alg': own({ alg: undefined }),
    ...each([pem, pem.trim(), jwks.text, JSON.stringify(publicKey.export({ format: 'jwk' })), kid], (secret) =>
      forge({ ...good.header, alg: 'HS256' }, good.payload, hmac(256, secret))
    ),
    'HS256 without a kid': forge({ alg: 'HS256', typ: 'at+jwt' }, good.payload, hmac(256, pem)),
    ...each(['ES384', 'ES512', 'ES256K', 'RS256', 'PS256', 'EdDSA', 'es256', 'ES256 '], (alg) => own({ alg })),
    "an attacker's key": byAttacker({}),
    "an attacker's RSA key": forge({ ...good.header, alg: 'RS256' }, good.payload, es256(attacker.privateKey)),
    ...each(
      [
        { jwk: attackerJwk },
        { jku: address },
        { x5u: address },
        { jwk: attackerJwk, kid: 'mine' },
        { jku: address, kid: 'mine' },
        { kid: address },
        { x5c: [attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')], kid: undefined },
        { jwk: rsa.publicKey.export({ format: 'jwk' }), kid: undefined }
      ],
      byAttacker
    ),
    ...each(
      ['unknown', `${kid}x`, kid.toUpperCase(), '../../dev/null', '__proto__', 'constructor', '', 7, null],
      (odd) => own({ kid: odd })
    ),
    'a kid that is an array': own({ kid: [kid] }),
    'no kid': own({ kid: undefined }),
    ...each([undefined, null, '', 'JWT', 'id+jwt', 'logout+jwt', 'at+jwtx', 7], (typ) => own({ typ })),
    ...each([undefined, null, 'refresh', 'id', ['access']], (type) => signed({ type })),
    ...each(
      [undefined, null, '', 'http://gatehouse.test/', 'HTTP://GATEHOUSE.TEST', ['http://gatehouse.test'], 7],
      (iss) => signed({ iss })
    ),
    ...each([undefined, null, '', 'another', ['gatehouse'], ['gatehouse', 'another'], { gatehouse: 1 }, 7], (aud) =>
      signed({ aud })
    ),
    ...each([undefined, null, '1', 1e300, now() + 900.5, (now() + 900) * 1000, [now() + 900]], (exp) =>
      signed({ exp })
    ),
    ...each([undefined, String(now()), -1, now() + 3600], (iat) => signed({ iat, exp: now() + 7200 })),
    'nbf in an hour': signed({ nbf: now() + 3600 }),
    ...each([undefined, '0', '-1', '01', 'client:abc', 1, 'x'.repeat(100), '12345678901'], (sub) => signed({ sub })),
    'no jti': signed({ jti: undefined }),
    'no username': signed({ username: undefined }),
    'a role that is a string': signed({ is_admin: 'true' }),
    'another role': forge(good.header, { ...good.payload, is_admin: true }, signature),
    DER: forge(good.header, good.payload, es256Der(key)),
    'r and s are zero': forge(good.header, good.payload, Buffer.alloc(64).toString('base64url')),
    'no third part': `${head}.${body}`,
    'an empty signature': `${head}.${body}.`,
    'a fourth part': `${person.token}.`,
    'a padding': `${person.token}==`,
    'another spelling': respelled,
    'a blank inside': `${head}.${body}.${signature.slice(0, 9)} ${signature.slice(9)}`,
    'a character that decoders skip': `${head}.${body}.${signature.slice(0, 9)}!${signature.slice(9)}`,
    'a critical extension': own({ crit: ['x'], x: 1 }),
    'no extensions': own({ crit: [] }),
    'an unencoded payload': own({ b64: false, crit: ['b64'] }),
    ...each(['null', '1', '"x"', '[]', '', '{"iss":', '['.repeat(1500)], (payload) => own({}, payload)),
    ...each(['[]', 'null', '{'], (header) => forge(header, good.payload, es256(key))),
    dots: '...',
    'five parts': `${person.token}.${body}.${signature}`,
    'a token of 12 kB': signed({ padding: 'x'.repeat(9000) })
  }
  for (const consumer of consumers) {
    t.equal((await call(consumer, 'GET /', { bearer: signed({ jti: 'anew' }) })).status, 200, 'without a forgery')
    consumer.handled.length = 0
  }
  for (const [title, bearer] of Object.entries(tokens)) {
    const own = await call(service, 'GET /authz', { bearer })
    // Gatehouse measures its tokens by what a header may hold.
    if (!title.endsWith('kB')) t.equal(own.status, 401, `Gatehouse: ${title}`)
    for (const consumer of consumers) {
      const answer = await call(consumer, 'GET /', { bearer })
      const seen = [answer.status, (answer.body as { code: string }).code, answer.headers.get('www-authenticate')]
      t.strictSame(seen, [401, 'token_invalid', 'Bearer error="invalid_token"'], `${consumer.framework}, ${title}`)
    }
  }
  for (const { handled } of consumers) t.same(handled, [])
  t.equal(visits, 0, 'no address in a token was visited')
})

await t.test('a token comes in one Authorization header, after one blank, and nowhere else', async (t) => {
  const { token } = await registerPerson(service)
  for (const consumer of consumers) {
    for (const headers of [
      { cookie: `access_token=${token}` },
      { 'x-access-token': token },
      { 'x-auth-request-user': '1', 'x-auth-request-groups': 'admin' },
      { authorization: token },
      { authorization: `Bearer\t${token}` },
      { authorization: `Bearer  ${token}` },
      { authorization: `Bearer ${token}, Bearer ${token}` },
      { authorization: `Bearer none, Bearer ${token}` }
    ] as Record<string, string>[]) {
      t.equal((await call(consumer, 'GET /', { headers })).status, 401, JSON.stringify(Object.keys(headers)))
    }
    t.equal((await call(consumer, `GET /?access_token=${token}`)).status, 401, 'not in a URL')
    const second = await fetch(consumer.url, {
      headers: [
        ['authorization', 'Bearer none'],
        ['authorization', `Bearer ${token}`]
      ]
    })
    t.equal(second.status, 401, 'nor in a second header')
    t.equal((await call(consumer, 'GET /', { headers: { authorization: `bEARER ${token}` } })).status, 200)
  }
})

await t.test('whatever length a token was cut to, it is a bad token', async (t) => {
  const verifier = createVerifier({
    ...trusting,
    jwksUrl: `${service.url}/.well-known/jwks.json`
  })
  const tokens = [
    'x.y.z',
    'x.y.zzzzz',
    'xx.yy.z',
    'x.yyyyy.zz',
    ...Array.from(person.token, (_, length) => person.token.slice(0, length))
  ]
  for (const token of tokens) {
    await t.rejects(verifier.verify(token), { name: 'AccessProblem', code: 'token_invalid' }, token.slice(-8))
  }
})

await t.test('a role that does not exist lets nobody in', async (t) => {
  const { token } = await registerPerson(service)
  const verifier = createVerifier({ ...trusting, jwksUrl: `${service.url}/.well-known/jwks.json` })
  for (const role of ['editor', '', undefined, 'toString', '__proto__']) {
    await t.rejects(verifier.authorize(`Bearer ${token}`, role as 'admin'), { code: 'permission_denied' }, String(role))
  }
})

await t.test('a verifier without an issuer or an audience is not made', (t) => {
  t.throws(() => createVerifier({ issuer: '', audience: 'gatehouse' }), TypeError)
  t.throws(() => createVerifier({ issuer: 'http://gatehouse.test', audience: '' }), TypeError)
  t.throws(() => createVerifier({ issuer: 'no address', audience: 'gatehouse' }), TypeError)
  t.end()
})

await t.test('the keys are fetched once for many requests, and not for each unknown kid', async (t) => {
  const { consumers, token, fetches, time } = await startWatched(t)
  const bearer = token()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => consumers.map((consumer) => call(consumer, 'GET /', { bearer }))).flat()
  )
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.equal(fetches(), consumers.length, 'once by each')
  const unknown = (index: number) => forge({ ...good.header, kid: `unknown-${String(index)}` }, good.payload, 'AAAA')
  for (let index = 0; index < 20; index += 1) {
    for (const consumer of consumers) t.equal((await call(consumer, 'GET /', { bearer: unknown(index) })).status, 401)
  }
  t.equal(fetches(), consumers.length)
  time.forward(31)
  for (let index = 0; index < 20; index += 1) {
    for (const consumer of consumers) await call(consumer, 'GET /', { bearer: unknown(index) })
  }
  t.equal(fetches(), 2 * consumers.length, 'once more in half a minute')
})

await t.test(
  'tokens are verified while Gatehouse is down, which is asked at intervals whether it is back',
  async (t) => {
    const { gatehouse, consumers, token, fetches, time } = await startWatched(t)
    const bearer = token({ exp: now() + 86_400 })
    for (const consumer of consumers) t.equal((await call(consumer, 'GET /', { bearer })).status, 200)
    await gatehouse.close()
    time.forward(3600)
    const before = fetches()
    for (let index = 0; index < 10; index += 1) {
      for (const consumer of consumers) t.equal((await call(consumer, 'GET /', { bearer })).status, 200)
    }
    t.equal(fetches() - before, consumers.length)
    const unknown = forge({ ...partsOf(bearer).header, kid: 'unknown' }, good.payload, 'AAAA')
    for (const consumer of consumers) {
      const answer = await call(consumer, 'GET /', { bearer: unknown })
      t.match([answer.status, answer.body], [503, { code: 'unavailable' }], 'its key may be a new one')
    }
    t.equal(fetches() - before, consumers.length, 'unknown kids do not ask more often')
    time.forward(6)
    for (const consumer of consumers) await call(consumer, 'GET /', { bearer })
    t.equal(fetches() - before, 2 * consumers.length)
  }
)

await t.test('a service that has no keys yet says that it cannot tell, not that the token is bad', async (t) => {
  const { gatehouse, consumers, token, fetches } = await startWatched(t)
  const bearer = token()
  await gatehouse.close()
  for (const consumer of consumers) {
    for (let index = 0; index < 5; index += 1) {
      const answer = await call(consumer, 'GET /', { bearer })
      t.equal(answer.status, 503, consumer.framework)
      t.match(answer.body, { code: 'unavailable', status: 503, title: 'Service Unavailable' })
      t.equal(answer.headers.get('retry-after'), '5')
      t.equal(answer.headers.get('www-authenticate'), null)
      t.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    }
    t.equal((await call(consumer, 'GET /')).status, 401, 'without a token nothing has to be known')
  }
  t.equal(fetches(), consumers.length)
})

await t.test(
  'a key that signs from now on is known at once, and one that is withdrawn is not trusted for long',
  async (t) => {
    const { gatehouse, consumers, token, time } = await startWatched(t, { KEY_ACTIVATION_DELAY_SECONDS: '0' })
    const bearer = token()
    for (const consumer of consumers) t.equal((await call(consumer, 'GET /', { bearer })).status, 200)

    const user = await registerPerson(gatehouse)
    generateSigningKey(gatehouse.env.KEYS_DIR ?? '')
    let renewed = ''
    await eventually(t, 'another key signs', async () => {
      renewed = await logIn(gatehouse, user)
      return partsOf(renewed).header.kid !== partsOf(bearer).header.kid
    })
    time.forward(31)
    for (const consumer of consumers) {
      t.equal((await call(consumer, 'GET /', { bearer: renewed })).status, 200, consumer.framework)
      t.equal((await call(consumer, 'GET /', { bearer })).status, 200, 'the one before is still good')
    }

    t.ok(removeKey(gatehouse.env.KEYS_DIR ?? '', String(partsOf(bearer).header.kid)))
    await eventually(t, 'withdrawn', async () => (await call(gatehouse, 'GET /authz', { bearer })).status === 401)
    time.forward(301)
    for (const consumer of consumers) {
      t.equal((await call(consumer, 'GET /', { bearer })).status, 401, 'after an idle time, too')
      t.equal((await call(consumer, 'GET /', { bearer: renewed })).status, 200)
    }
  }
)

await t.test('keys are renewed beside the requests, which do not wait', async (t) => {
  let release: () => void = () => undefined
  let held = Promise.resolve()
  const { consumers, token, fetches, time } = await startWatched(t, {}, async (...request) => {
    await held
    return fetch(...request)
  })
  const bearer = token()
  for (const consumer of consumers) await call(consumer, 'GET /', { bearer })
  held = new Promise((resolve) => (release = resolve))
  time.forward(151)
  for (const consumer of consumers) t.equal((await call(consumer, 'GET /', { bearer })).status, 200)
  t.equal(fetches(), 2 * consumers.length)
  release()
})

await t.test('of requests with old keys one waits for a Gatehouse that hangs, and no other', async (t) => {
  let hangs = false
  const { consumers, token, time } = await startWatched(t, {}, (input, init) => {
    if (!hangs) return fetch(input, init)
    return new Promise((_, reject) => {
      init?.signal?.addEventListener('abort', () => {
        reject(new Error('timed out'))
      })
    })
  })
  const bearer = token({ exp: now() + 86_400 })
  for (const consumer of consumers) await call(consumer, 'GET /', { bearer })
  hangs = true
  time.forward(1000)
  for (const consumer of consumers) t.equal((await call(consumer, 'GET /', { bearer })).status, 200, 'after 3 seconds')
  time.forward(10)
  for (const consumer of consumers) {
    const pending = new Promise<'waits'>((resolve) => setTimeout(resolve, 2900, 'waits'))
    const answer = await Promise.race([call(consumer, 'GET /', { bearer }), pending])
    t.match(answer, { status: 200 }, 'while Gatehouse is asked again')
  }
})

await t.test('a refusal holds nothing of the token', async (t) => {
  const verifier = createVerifier({ ...trusting, jwksUrl: `${service.url}/.well-known/jwks.json` })
  const tokens = [
    signed({ exp: now() - 60, iat: now() - 900 }),
    signed({ aud: 'another' }),
    signed({}, { typ: 'JWT' }),
    'none'
  ]
  for (const token of tokens) {
    const refusal: unknown = await verifier.verify(token).catch((error: unknown) => error)
    const shown = inspect(refusal, { depth: 9, showHidden: true })
    t.match(shown, 'AccessProblem')
    for (const part of [person.username, String(good.payload.sid), ...token.split('.')]) {
      if (part !== 'none') t.notMatch(shown, part)
    }
  }
})

await t.test('what is no set of keys replaces none', async (t) => {
  const answers: Record<string, Parameters<typeof serve>[1]> = {
    'a page': (_request, response) => response.end('<html>'),
    'an empty answer': (_request, response) => response.end(),
    null: (_request, response) => response.end('null'),
    'no keys': (_request, response) => response.end('{"keys":7}'),
    'an error': (_request, response) => response.writeHead(500).end('{"keys":[]}'),
    'a redirection': (_request, response) =>
      response.writeHead(302, { location: `${service.url}/.well-known/jwks.json` }).end(),
    'a huge set': (_request, response) => response.end(JSON.stringify({ keys: [], padding: 'x'.repeat(100_000) })),
    'a set without an end': (request, response) => {
      const timer = setInterval(() => response.write(' '.repeat(10_000)), 1)
      request.on('close', () => {
        clearInterval(timer)
      })
    }
  }
  for (const [title, answer] of Object.entries(answers)) {
    const url = await serve(t, answer)
    let broken = false
    let ahead = 0
    const verifier = createVerifier({
      ...trusting,
      jwksUrl: `${service.url}/.well-known/jwks.json`,
      now: () => Date.now() + ahead,
      fetch: (input, init) => fetch(broken ? url : input, init)
    })
    const strange = createVerifier({ ...trusting, jwksUrl: url })
    const token = signed({ exp: now() + 3600 })
    await t.rejects(strange.verify(token), { code: 'unavailable', status: 503 }, title)
    t.match(await verifier.verify(token), { id: String(person.id) })
    broken = true
    ahead = 1_000_000
    t.match(await verifier.verify(token), { id: String(person.id) }, `${title}: those from before stay`)
  }
})

await t.test('keys of every kind that Gatehouse signs by are known', async (t) => {
  for (const kind of ['ed25519', 'rsa'] as const) {
    const { privateKey } =
      kind === 'rsa' ? generateKeyPairSync(kind, { modulusLength: 2048 }) : generateKeyPairSync('ed25519')
    const folder = t.testdir({
      'private.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      'public.pem': createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string
    })
    const other = await startService(t, {
      JWT_PRIVATE_KEY: `${folder}/private.pem`,
      JWT_PUBLIC_KEY: `${folder}/public.pem`
    })
    const { token, id } = await registerPerson(other)
    const verifier = createVerifier({ ...trusting, jwksUrl: `${other.url}/.well-known/jwks.json` })
    t.match(await verifier.verify(token), { id: String(id) }, kind)
    await t.rejects(verifier.verify(person.token), { code: 'token_invalid' }, 'and none of another ring')
  }
})

/** Consumers of a Gatehouse of their own, with a clock to move by hand and a count of how often keys are fetched. */
async function startWatched(t: Test, env: Record<string, string> = {}, send: typeof fetch = fetch) {
  const gatehouse = await startService(t, env)
  const user = await registerPerson(gatehouse)
  const { key: ownKey } = signingKeyOf(gatehouse)
  const { header, payload } = partsOf(user.token)
  let ahead = 0
  let count = 0
  const watched: Consumer[] = await startConsumers(t, gatehouse, {
    now: () => Date.now() + ahead * 1000,
    fetch: (...request) => {
      count += 1
      return send(...request)
    }
  })
  return {
    gatehouse,
    consumers: watched,
    token: (claims: object = {}) => forge(header, { ...payload, ...claims }, es256(ownKey)),
    fetches: () => count,
    time: { forward: (seconds: number) => (ahead += seconds) }
  }
}

/** A token for each of the values, by what it is made of. */
function each<T>(values: T[], make: (value: T) => string): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => [`${make.toString().slice(0, 60)} ${JSON.stringify(value)}`, make(value)])
  )
}
