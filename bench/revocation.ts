import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { createRevocationList } from '../src/revocation/list.ts'
import { sessionKey } from '../src/ids.ts'
import type { Principal } from '../src/tokens/claims.ts'
import { call, registerPerson, startSession } from '../test/support/client.ts'
import { load } from './support/load.ts'
import { makeKeys, startBuilt, startDatabase } from './support/service.ts'

// How soon a logout on one instance is felt on the other: quiet, under 500 requests a second, and while the
// connection that hears of it is killed. And what a million revocations weigh.
const rounds = Number(process.argv[2] ?? 1000)

const database = await startDatabase()
const first = await startBuilt({ DATABASE_URL: database.url, KEYS_DIR: await makeKeys() })
const second = await startBuilt(first.env)
const person = await registerPerson(first)

report('quiet', await measure(rounds))

const others = await Promise.all(Array.from({ length: 20 }, () => startSession(first, person)))
const noise = load({
  url: second.url,
  requests: others.map(({ access_token }) => ({
    path: '/authz',
    headers: { authorization: `Bearer ${access_token}` }
  })),
  connections: 2,
  atMost: 500,
  seconds: 60
})
report('while 500 requests a second run', await measure(rounds))
await noise

const admin = postgres(database.url, { max: 1 })
const killed: number[] = []
for (let kill = 0; kill < 20; kill++) {
  const session = await startSession(first, person)
  await admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gatehouse-listener'`
  killed.push(await untilRefused(session.access_token))
}
report('after the listening connection was killed', killed)
await admin.end()

const before = process.memoryUsage().heapUsed
const list = createRevocationList(900)
for (let n = 0; n < 1_000_000; n++) list.add({ sessionId: randomUUID() })
globalThis.gc?.()
console.log(
  `1,000,000 revoked sessions: ${((process.memoryUsage().heapUsed - before) / 1e6).toFixed(0)} MB of ${String(list.size())}`
)

const probes = Array.from({ length: 1000 }, () => {
  const sessionId = randomUUID()
  return { kind: 'user', sessionId, sessionKey: sessionKey(sessionId), userId: 1, version: 1 } as Principal
})
const checks = 2_000_000
const began = performance.now()
let found = 0
for (let n = 0; n < checks; n++) if (list.has(probes[n % 1000]!)) found++
const nanoseconds = ((performance.now() - began) * 1e6) / checks
console.log(`a check beside them: ${nanoseconds.toFixed(0)} ns (${String(found)} found)`)

await first.stop()
await second.stop()
await database.stop()

async function measure(count: number): Promise<number[]> {
  const times = []
  for (let round = 0; round < count; round++) {
    const { access_token } = await startSession(first, person)
    times.push(await untilRefused(access_token))
  }
  return times
}

/** Milliseconds from the logout's answer on the first instance until the second refuses the token. */
async function untilRefused(bearer: string): Promise<number> {
  if ((await call(second, 'GET /authz', { bearer })).status !== 204) throw new Error('The token was not good before')
  await call(first, 'POST /auth/logout', { bearer })
  const answered = performance.now()
  let asked = answered
  while ((await call(second, 'GET /authz', { bearer })).status !== 401) asked = performance.now()
  return asked - answered
}

function report(when: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.ceil(sorted.length * share) - 1] ?? NaN).toFixed(1)
  console.log(
    `${when}: refused after p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, at most ${at(1)} ms (${String(times.length)} logouts)`
  )
}
