import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { load, median, spread } from './support/load.ts'
import { makeKeys, processorTime, startBuilt, startDatabase } from './support/service.ts'
import { createUserPool } from './support/users.ts'

// Goal 8: what the revocation check costs an access check. The service beside the same without the check, both from their source,
// rounds interleaved, with 10,000 revocations in memory.
const rounds = Number(process.argv[2] ?? 7)
const seconds = Number(process.argv[3] ?? 5)

const database = await startDatabase()
const program = ['--import=tsx', 'bench/support/checking.ts']
const checked = await startBuilt({ DATABASE_URL: database.url, KEYS_DIR: await makeKeys() }, program)
const unchecked = await startBuilt({ ...checked.env, REVOCATION_CHECK: 'off' }, program)
const users = await createUserPool(checked, 50, 10)
const requests = users
  .flatMap((user) => user.tokens)
  .map(({ access_token }) => ({ path: '/authz/reader', headers: { authorization: `Bearer ${access_token}` } }))
const admin = postgres(database.url, { max: 1 })
const ids = Array.from({ length: 10_000 }, () => randomUUID())
await admin`select pg_notify('gatehouse_revocations', 's:' || id) from unnest(${ids}::uuid[]) as id`
await admin.end()

const cases = { checked, unchecked }
const perSecond = { checked: [] as number[], unchecked: [] as number[] }
const micros = { checked: [] as number[], unchecked: [] as number[] }
const names = ['checked', 'unchecked'] as const
for (const name of names) await load({ url: cases[name].url, requests, seconds: 3 })
for (let round = 1; round <= rounds; round++) {
  // Who comes first alternates, so that neither profits from a machine that changes its pace.
  for (const name of round % 2 === 0 ? names : names.toReversed()) {
    const service = cases[name]
    const before = processorTime(service.process.pid!)
    const result = await load({ url: service.url, requests, seconds })
    if (result.failed > 0) throw new Error(`${name}: ${String(result.failed)} requests failed`)
    perSecond[name].push(result.perSecond)
    micros[name].push(((processorTime(service.process.pid!) - before) * 1e6) / (result.perSecond * seconds))
  }
  console.error(`round ${String(round)} of ${String(rounds)}`)
}
for (const name of names)
  console.log(`${name}: ${spread(perSecond[name])} req/s, ${spread(micros[name], 1)} µs of CPU each`)
const pairs = perSecond.checked.map((value, round) => value / perSecond.unchecked[round]!)
console.log(
  `checked / unchecked, pair by pair: ${spread(pairs, 3)}; of the medians: ${(median(perSecond.checked) / median(perSecond.unchecked)).toFixed(3)}`
)
await checked.stop()
await unchecked.stop()
await database.stop()
