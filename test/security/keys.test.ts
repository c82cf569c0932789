import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { calculateJwkThumbprint, createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { call, registerPerson } from '../support/client.ts'
import { forge, hmac, partsOf } from '../support/forge.ts'
import { createFolder, type Service, startService } from '../support/service.ts'

interface Pair {
  privateKey: KeyObject
  publicKey: KeyObject
}

const pairs: Record<string, [algorithm: string, pair: Pair, members: string[]]> = {
  'P-256': ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }), ['crv', 'x', 'y']],
  'RSA of 2048 bits': ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }), ['e', 'n']],
  Ed25519: ['EdDSA', generateKeyPairSync('ed25519'), ['crv', 'x']]
}

/** Writes a pair as an operator would. @returns the settings that name it */
function asTutorial(t: Test, { privateKey, publicKey }: Pair): Record<string, string> {
  const folder = createFolder(t)
  const files = { JWT_PRIVATE_KEY: join(folder, 'private.pem'), JWT_PUBLIC_KEY: join(folder, 'public.pem') }
  writeFileSync(files.JWT_PRIVATE_KEY, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(files.JWT_PUBLIC_KEY, publicKey.export({ type: 'spki', format: 'pem' }))
  return files
}

const keySetOf = async (service: Service) => (await call(service, 'GET /.well-known/jwks.json')).body as JSONWebKeySet

for (const [title, [algorithm, pair, members]] of Object.entries(pairs)) {
  await t.test(`a key of the kind ${title} signs with ${algorithm}, by its own type`, async (t) => {
    const service = await startService(t, asTutorial(t, pair))
    const { token } = await registerPerson(service)
    const { header, payload } = partsOf(token)
    const kid = await calculateJwkThumbprint(pair.publicKey.export({ format: 'jwk' }))
    t.strictSame(header, { alg: algorithm, typ: 'at+jwt', kid })
    t.equal((await call(service, 'GET /auth/me', { bearer: token })).status, 200)

    await t.test('a stranger’s library verifies the token with what is published', async (t) => {
      const keys = await keySetOf(service)
      t.strictSame(Object.keys(keys.keys[0] ?? {}).sort(), ['alg', 'kid', 'kty', 'use', ...members].sort())
      t.match(keys, { keys: [{ kid, alg: algorithm, use: 'sig' }] })
      const verified = await jwtVerify(token, createLocalJWKSet(keys), {
        issuer: 'http://gatehouse.test',
        audience: 'gatehouse',
        typ: 'at+jwt',
        algorithms: [algorithm]
      })
      t.equal(verified.payload.sub, payload.sub)
    })

    await t.test('and with no other algorithm', async (t) => {
      const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string
      for (const secret of [pem, pem.trim(), ` ${pem}`, '']) {
        const bearer = forge({ ...header, alg: 'HS256' }, payload, hmac(256, secret))
        t.equal((await call(service, 'GET /authz', { bearer })).status, 401)
      }
      const signature = token.split('.')[2] ?? ''
      for (const alg of ['ES256', 'RS256', 'RS512', 'PS256', 'EdDSA', 'none'].filter((other) => other !== algorithm)) {
        const bearer = forge({ ...header, alg }, payload, signature)
        t.equal((await call(service, 'GET /authz', { bearer })).status, 401, alg)
      }
    })
  })
}

await t.test('keys of a folder sign by their own type, too', async (t) => {
  const folder = createFolder(t)
  writeFileSync(join(folder, 'own.pem'), pairs.Ed25519![1].privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const service = await startService(t, { KEYS_DIR: folder })
  const { token } = await registerPerson(service)
  t.equal(partsOf(token).header.alg, 'EdDSA')
})

await t.test('a weak key, an unknown kind or half of another pair keep the service from starting', async (t) => {
  const weak: Record<string, Pair> = {
    'RSA of 1024 bits': generateKeyPairSync('rsa', { modulusLength: 1024 }),
    'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    secp256k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
    Ed448: generateKeyPairSync('ed448'),
    X25519: generateKeyPairSync('x25519')
  }
  for (const [title, pair] of Object.entries(weak)) {
    await t.rejects(startService(t, asTutorial(t, pair)), /cannot sign tokens: use an EC P-256/, title)
  }
  const mixed = { privateKey: pairs['P-256']![1].privateKey, publicKey: createPublicKey(weak.secp256k1!.privateKey) }
  await t.rejects(startService(t, asTutorial(t, mixed)), /is not the public half of/)
})

await t.test('the published keys', async (t) => {
  const service = await startService(t)
  const first = await call(service, 'GET /.well-known/jwks.json')

  await t.test('have public members only', async (t) => {
    const { keys } = first.body as JSONWebKeySet
    t.equal(keys.length, 1)
    for (const key of keys) {
      t.strictSame(
        Object.keys(key).filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].includes(name)),
        []
      )
      t.match(key, { kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: await calculateJwkThumbprint(key) })
    }
  })

  await t.test('may be kept for a while, and say whether they have changed', async (t) => {
    t.match(first.headers.get('cache-control'), /\bmax-age=300\b/)
    const etag = first.headers.get('etag') ?? ''
    t.match(etag, /^"[^"]+"$/)
    const unchanged = await call(service, 'GET /.well-known/jwks.json', { headers: { 'if-none-match': etag } })
    t.equal(unchanged.status, 304)
    t.equal(unchanged.text, '')
    t.equal(unchanged.headers.get('etag'), etag)
    const other = await call(service, 'GET /.well-known/jwks.json', { headers: { 'if-none-match': '"another"' } })
    t.equal(other.status, 200)
    t.strictSame(other.body, first.body)
  })

  await t.test('are read by GET and HEAD, and by nothing else', async (t) => {
    const head = await call(service, 'HEAD /.well-known/jwks.json')
    t.equal(head.status, 200)
    t.equal(head.headers.get('etag'), first.headers.get('etag'))
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const refused = await call(service, `${method} /.well-known/jwks.json`)
      t.equal(refused.status, 405, method)
      t.equal(refused.headers.get('allow'), 'GET, HEAD')
    }
  })
})
