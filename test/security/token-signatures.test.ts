import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { call, registerPerson } from '../support/client.ts'
import { es256, es256Der, forge, hmac, type Signature } from '../support/forge.ts'
import { startTokenTarget } from '../support/token-target.ts'

const { service, person, good, segments, kid, key, guarded, signed, refused } = await startTokenTarget(t)
const [head, body, signature] = segments
const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' })

await t.test('a token put together anew with the right key is good, so that what follows says something', async (t) => {
  t.ok(guarded.length >= 10, 'there are guarded routes')
  t.equal((await call(service, 'GET /auth/me', { bearer: signed({}) })).status, 200)
  t.equal((await call(service, 'GET /authz', { bearer: signed({ jti: 'another' }) })).status, 204)
})

await t.test('alg none is refused, however it is spelled and whatever stands for the signature', async (t) => {
  const tokens: Record<string, string> = {}
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', ' none', 'none\u0000']) {
    const header = { ...good.header, alg }
    tokens[`${alg}, empty signature`] = forge(header, good.payload, '')
    tokens[`${alg}, no signature`] = forge(header, good.payload, '').slice(0, -1)
    tokens[`${alg}, a signature that is good`] = forge(header, good.payload, es256(key))
    tokens[`${alg}, no kid`] = forge({ alg, typ: 'at+jwt' }, good.payload, '')
  }
  tokens['no alg'] = forge({ typ: 'at+jwt', kid }, good.payload, es256(key))
  await refused(t, tokens)
})

await t.test('the public key is no secret of an HMAC, in any spelling of it', async (t) => {
  const publicKey = createPublicKey(key)
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
  const jwks = await call(service, 'GET /.well-known/jwks.json')
  const secrets: Record<string, string | Buffer> = {
    'the PEM': pem,
    'the PEM and a newline': `${pem}\n`,
    'the PEM without its newline': pem.trim(),
    'a blank and the PEM': ` ${pem}`,
    'the PEM with CRLF': pem.replaceAll('\n', '\r\n'),
    'the DER': publicKey.export({ type: 'spki', format: 'der' }),
    'the JWK': JSON.stringify((jwks.body as { keys: unknown[] }).keys[0]),
    'the JWK as node:crypto writes it': JSON.stringify(publicKey.export({ format: 'jwk' })),
    'the JWKS': jwks.text,
    'the kid': kid,
    nothing: ''
  }
  const tokens: Record<string, string> = {}
  for (const [title, secret] of Object.entries(secrets)) {
    for (const bits of [256, 384, 512] as const) {
      const alg = `HS${String(bits)}`
      tokens[`${alg} with ${title}`] = forge({ ...good.header, alg }, good.payload, hmac(bits, secret))
    }
    tokens[`HS256 with ${title}, no kid`] = forge({ alg: 'HS256', typ: 'at+jwt' }, good.payload, hmac(256, secret))
    tokens[`said to be ES256, with ${title}`] = forge(good.header, good.payload, hmac(512, secret))
  }
  await refused(t, tokens)
})

await t.test('another algorithm than the key is for is refused, with a good signature too', async (t) => {
  const others = ['ES384', 'ES512', 'ES256K', 'RS256', 'PS256', 'EdDSA', 'Ed25519', 'es256', 'ES256 ']
  await refused(
    t,
    Object.fromEntries(others.map((alg) => [alg, forge({ ...good.header, alg }, good.payload, es256(key))]))
  )
})

await t.test('a bit changed anywhere in the token breaks it', async (t) => {
  const flip = (part: string, at: number) => {
    const bytes = Buffer.from(part, 'base64url')
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes.toString('base64url')
  }
  const each = (part: string, count: number) =>
    Array.from({ length: count }, (_, n) => Math.floor((n * Buffer.from(part, 'base64url').length) / count))
  await refused(t, {
    ...Object.fromEntries(
      each(head, 12).map((at) => [`header, byte ${String(at)}`, `${flip(head, at)}.${body}.${signature}`])
    ),
    ...Object.fromEntries(
      each(body, 24).map((at) => [`payload, byte ${String(at)}`, `${head}.${flip(body, at)}.${signature}`])
    ),
    ...Object.fromEntries(
      each(signature, 64).map((at) => [`signature, byte ${String(at)}`, `${head}.${body}.${flip(signature, at)}`])
    )
  })
})

await t.test('a signature is that of this key over these bytes, and of the one form of ES256', async (t) => {
  const other = await registerPerson(service, 'bob')
  const [otherHead = '', otherBody = '', otherSignature = ''] = other.token.split('.')
  const asBob = { ...good.payload, sub: String(other.id) }
  const bytes = (...parts: Buffer[]): Signature => Buffer.concat(parts).toString('base64url')
  const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
  const own = Buffer.from(signature, 'base64url')
  await refused(t, {
    'the payload of another, the signature of the first': `${head}.${otherBody}.${signature}`,
    'the payload of the first, the signature of another': `${head}.${body}.${otherSignature}`,
    'the header, the payload and the signature of three': `${otherHead}.${body}.${otherSignature}`,
    'another role': forge(good.header, { ...good.payload, is_admin: true }, signature),
    'another user': forge(good.header, asBob, signature),
    'r and s are zero': forge(good.header, good.payload, bytes(Buffer.alloc(64))),
    'r and s are the order of the curve': forge(good.header, good.payload, bytes(order, order)),
    DER: forge(good.header, good.payload, es256Der(key)),
    'one byte too many': forge(good.header, good.payload, bytes(own, Buffer.alloc(1))),
    'one byte too few': forge(good.header, good.payload, bytes(own.subarray(0, 63))),
    'half of it': forge(good.header, good.payload, bytes(own.subarray(0, 32))),
    none: `${head}.${body}.`,
    'no third part': `${head}.${body}`,
    'a fourth part': `${person.token}.`,
    'an attacker’s key': forge(good.header, good.payload, es256(attacker.privateKey))
  })
})

await t.test('a key in the header is not trusted, and no address in it is visited', async (t) => {
  let visits = 0
  const listener = createServer((_request, response) => {
    visits += 1
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ keys: [publicJwk(attacker.publicKey)] }))
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  t.teardown(() => listener.close())
  const address = `http://127.0.0.1:${String((listener.address() as AddressInfo).port)}/keys`
  const certificate = attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const baits: Record<string, Record<string, unknown>> = {
    jwk: { jwk: publicJwk(attacker.publicKey) },
    jku: { jku: address },
    x5u: { x5u: address },
    x5c: { x5c: [certificate] },
    'all of them': { jwk: publicJwk(attacker.publicKey), jku: address, x5u: address, x5c: [certificate] },
    'kid as an address': { kid: address }
  }
  const tokens: Record<string, string> = {}
  for (const [title, bait] of Object.entries(baits)) {
    for (const own of [{}, { kid }, { kid: 'mine' }]) {
      const header = { alg: 'ES256', typ: 'at+jwt', ...own, ...bait }
      tokens[`${title}, ${JSON.stringify(own)}`] = forge(header, good.payload, es256(attacker.privateKey))
    }
  }
  await refused(t, tokens)
  t.equal(visits, 0, 'nobody came to the listener')
})

await t.test('a kid is looked up among the service’s keys and does nothing else', async (t) => {
  const kids: unknown[] = [
    'unknown',
    `${kid}x`,
    kid.slice(0, -1),
    kid.toUpperCase(),
    ` ${kid}`,
    `${kid}.pem`,
    `./${kid}`,
    '../../dev/null',
    '/dev/null',
    "' OR 1=1--",
    '| whoami',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '',
    '\u0000',
    'k'.repeat(10_000),
    7,
    0,
    true,
    null,
    [kid],
    { kid },
    { toString: kid }
  ]
  const tokens = Object.fromEntries(kids.map((odd) => [JSON.stringify(odd).slice(0, 40), signed({}, { kid: odd })]))
  await refused(t, { ...tokens, absent: signed({}, { kid: undefined }) })
})

await t.test('a token has one spelling', async (t) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(signature.at(-1) ?? '')
  const sameBytes = (bits: number) => `${head}.${body}.${signature.slice(0, -1)}${alphabet[last ^ bits] ?? ''}`
  for (const bits of [1, 2, 3]) {
    const respelled = sameBytes(bits).split('.')[2] ?? ''
    t.ok(Buffer.from(respelled, 'base64url').equals(Buffer.from(signature, 'base64url')), 'these are the same bytes')
  }
  // A token with a "-" and a "_" in its signature, to be spelled in the other alphabet.
  let mixed = signed({})
  while (!/\.[^.]*(?:-[^.]*_|_[^.]*-)[^.]*$/.test(mixed)) mixed = signed({})
  t.equal((await call(service, 'GET /authz', { bearer: mixed })).status, 204)
  await refused(t, {
    'another last character, one bit': sameBytes(1),
    'another last character, the other bit': sameBytes(2),
    'another last character, both': sameBytes(3),
    'the other alphabet of base64': mixed.replaceAll('-', '+').replaceAll('_', '/'),
    'a padding': `${person.token}=`,
    'the padding that base64 has': `${person.token}==`,
    'a blank inside': `${head}.${body}.${signature.slice(0, 9)} ${signature.slice(9)}`,
    'a blank at a dot': `${head} .${body}.${signature}`,
    'a character that decoders skip': `${head}.${body}.${signature.slice(0, 9)}!${signature.slice(9)}`
  })
})

await t.test('between the scheme and the token stands one blank', async (t) => {
  for (const authorization of [
    `Bearer\t${person.token}`,
    `Bearer  ${person.token}`,
    `Bearer \t${person.token}`,
    `Bearer\u00a0${person.token}`
  ]) {
    const answer = await call(service, 'GET /auth/me', { headers: { authorization } })
    t.equal(answer.status, 401, JSON.stringify(authorization.slice(0, 9)))
  }
  for (const scheme of ['bearer', 'BEARER']) {
    const headers = { authorization: `${scheme} ${person.token}` }
    t.equal((await call(service, 'GET /auth/me', { headers })).status, 200, 'the scheme is written in any case')
  }
})

function publicJwk(publicKey: KeyObject): object {
  return { ...publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'mine' }
}
