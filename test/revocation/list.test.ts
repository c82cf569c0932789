import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createRevocationList } from '../../src/revocation/list.ts'
import { sessionKey } from '../../src/ids.ts'
import { decode, encode, type Revocation } from '../../src/repositories/revocations.ts'
import type { Principal } from '../../src/tokens/claims.ts'

const principal = (sessionId: string, userId = 1, version = 1) =>
  ({ kind: 'user', sessionId, sessionKey: sessionKey(sessionId), userId, version }) as Principal

await t.test('a revoked session is refused for as long as its tokens live, and forgotten then', async (t) => {
  let now = 1000
  const list = createRevocationList(900, () => now)
  const [one, two] = [randomUUID(), randomUUID()]
  list.add({ sessionId: one })
  t.ok(list.has(principal(one)))
  t.notOk(list.has(principal(two)))
  now = 1899
  list.add({ sessionId: two })
  t.ok(list.has(principal(one)))
  now = 1900
  list.forgetExpired()
  t.notOk(list.has(principal(one)))
  t.ok(list.has(principal(two)))
  t.equal(list.size(), 1)
})

await t.test('a revocation that is heard of again is remembered from then on', async (t) => {
  let now = 0
  const list = createRevocationList(900, () => now)
  const id = randomUUID()
  list.add({ sessionId: id })
  now = 600
  list.add({ sessionId: id })
  now = 1000
  list.forgetExpired()
  t.ok(list.has(principal(id)))
})

await t.test(
  'a version of a user makes the tokens of the earlier ones void, whatever the order of the news',
  async (t) => {
    const list = createRevocationList(900)
    list.add({ userId: 7, version: 3 })
    list.add({ userId: 7, version: 2 })
    const sessionId = randomUUID()
    t.ok(list.has(principal(sessionId, 7, 2)))
    t.notOk(list.has(principal(sessionId, 7, 3)))
    t.notOk(list.has(principal(sessionId, 8, 1)))
  }
)

await t.test('session keys are whole numbers that tell sessions apart', async (t) => {
  const keys = Array.from({ length: 10_000 }, () => sessionKey(randomUUID()))
  t.ok(keys.every((key) => Number.isSafeInteger(key)))
  t.equal(new Set(keys).size, keys.length)
})

await t.test("a service's token ends with its secret, by itself, or with a version of its client", async (t) => {
  const list = createRevocationList(900)
  const [secret, token, client] = [randomUUID(), randomUUID(), randomUUID()]
  const service = {
    kind: 'client',
    clientId: client,
    sessionId: secret,
    sessionKey: sessionKey(secret),
    tokenKey: sessionKey(token),
    version: 2
  } as Principal
  const ends = (entry: Revocation) => {
    const own = createRevocationList(900)
    own.add(entry)
    return own.has(service)
  }
  t.notOk(list.has(service))
  t.ok(ends({ sessionId: secret }), 'the secret')
  t.ok(ends({ sessionId: token }), 'the token')
  t.ok(ends({ clientId: client, version: 3 }), 'a later version')
  t.notOk(ends({ clientId: client, version: 2 }), 'its own version')
  t.notOk(ends({ clientId: randomUUID(), version: 3 }), 'another client')
})

await t.test('notifications hold as many revocations as fit, and all of them arrive', async (t) => {
  const entries: Revocation[] = [
    { userId: 7, version: 3 },
    { clientId: randomUUID(), version: 12 },
    ...Array.from({ length: 1000 }, () => ({ sessionId: randomUUID() }))
  ]
  const payloads = encode(entries)
  t.ok(payloads.length < 10, String(payloads.length))
  t.ok(payloads.every((payload) => payload.length < 8000))
  t.strictSame(payloads.flatMap(decode), entries)
  t.strictSame(encode([]), [])
})
