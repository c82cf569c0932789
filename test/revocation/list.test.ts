import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createRevocationList, sessionKey } from '../../src/revocation/list.ts'
import type { Principal } from '../../src/tokens/claims.ts'

const principal = (sessionId: string, userId = 1, version = 1) =>
  ({ sessionId, sessionKey: sessionKey(sessionId), userId, version }) as Principal

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
