import t from 'tap'
import { call, logIn, registerPerson } from '../support/client.ts'
import { exchange } from '../support/raw.ts'
import { startTokenTarget } from '../support/token-target.ts'

const { service, person, segments, guarded, signed, refused } = await startTokenTarget(t)
const [head, body, signature] = segments

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

await t.test('a challenge names no error without a token, and the role that is missing with one', async (t) => {
  for (const operation of guarded) {
    const anonymous = await call(service, operation.request)
    t.equal(anonymous.status, 401, operation.name)
    t.equal(anonymous.headers.get('www-authenticate'), 'Bearer', operation.name)
    t.match(anonymous.body, { code: 'not_authenticated' }, operation.name)
  }
  const token = await logIn(service, person)
  const forbidden = await call(service, 'GET /authz/admin', { bearer: token })
  t.equal(forbidden.status, 403)
  t.equal(forbidden.headers.get('www-authenticate'), 'Bearer error="insufficient_scope"')
  const wrong = await call(service, 'POST /auth/login', { json: { username: person.username, password: 'wrong' } })
  t.equal(wrong.headers.get('www-authenticate'), 'Bearer')
})

await t.test('of two credentials one counts, and never a mixture', async (t) => {
  const bob = await registerPerson(service, 'bob')
  const me = (...headers: string[]) =>
    exchange(service, 'GET /auth/me HTTP/1.1', 'Host: x', ...headers, 'Connection: close', '', '')
  const isAlice = new RegExp(`^HTTP/1\\.1 200 .*"username":"${person.username}"`, 's')

  await t.test('the bearer token of one before the cookie of another', async (t) => {
    t.match(await me(`Authorization: Bearer ${person.token}`, `Cookie: access_token=${bob.token}`), isAlice)
  })
  await t.test('a bearer token that is bad, or missing, is not replaced by a good cookie', async (t) => {
    for (const bad of ['Bearer x', 'Bearer', 'Bearer ', 'bearer', `Bearer ${person.token}, Bearer ${person.token}`]) {
      t.match(await me(`Authorization: ${bad}`, `Cookie: access_token=${person.token}`), /^HTTP\/1\.1 401 /, bad)
    }
  })
  await t.test('the first of two Authorization headers', async (t) => {
    const [alice, other] = [person, bob].map(({ token }) => `Authorization: Bearer ${token}`) as [string, string]
    t.match(await me(alice, other), isAlice)
    t.match(await me(alice, 'Authorization: Bearer x'), isAlice)
    t.match(await me('Authorization: Bearer x', alice), /^HTTP\/1\.1 401 /)
  })
  await t.test('the first of two cookies of one name', async (t) => {
    const [alice, other] = [person, bob].map(({ token }) => `access_token=${token}`) as [string, string]
    t.match(await me(`Cookie: ${alice}; ${other}`), isAlice)
    t.match(await me(`Cookie: ${alice}`, `Cookie: ${other}`), isAlice, 'in two headers')
    t.match(await me(`Cookie: access_token=x; ${alice}`), /^HTTP\/1\.1 401 /)
  })
  await t.test('a cookie of a similar name is ignored', async (t) => {
    for (const name of ['Access_Token', 'access_token2', '__Secure-access_token', 'xaccess_token', 'refresh_token']) {
      t.match(await me(`Cookie: ${name}=${person.token}`), /^HTTP\/1\.1 401 /, name)
    }
  })
})
