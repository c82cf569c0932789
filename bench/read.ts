import { createUserPool } from './support/users.ts'
import { load, median, spread } from './support/load.ts'
import { makeKeys, processorTime, residentMemory, startBuilt, startDatabase, startPeer } from './support/service.ts'

// Goals 1, 2 and 10: an access check and `me` beside a bare Fastify route, rounds interleaved; memory before and after.
const rounds = Number(process.argv[2] ?? 5)
const seconds = Number(process.argv[3] ?? 10)

const database = await startDatabase()
const bare = await startPeer('bench/support/bare.ts')
const service = await startBuilt({ DATABASE_URL: database.url, KEYS_DIR: await makeKeys() })
const idle = residentMemory(service.process.pid!)
const users = await createUserPool(service, 50, 10)
const bearers = users
  .flatMap((user) => user.tokens)
  .map(({ access_token }) => ({ authorization: `Bearer ${access_token}` }))

const cases = {
  'bare Fastify': { url: bare.url, pid: bare.process.pid!, requests: [{ path: '/' }] },
  '/authz/reader': {
    url: service.url,
    pid: service.process.pid!,
    requests: bearers.map((headers) => ({ path: '/authz/reader', headers }))
  },
  '/auth/me': {
    url: service.url,
    pid: service.process.pid!,
    requests: bearers.map((headers) => ({ path: '/auth/me', headers }))
  }
}
const figures = new Map(
  Object.keys(cases).map((name) => [name, { perSecond: [] as number[], micros: [] as number[], p99: [] as number[] }])
)
for (const target of Object.values(cases)) await load({ ...target, seconds: 3 })
for (let round = 1; round <= rounds; round++) {
  for (const [name, target] of Object.entries(cases)) {
    const before = processorTime(target.pid)
    const result = await load({ ...target, seconds })
    if (result.failed > 0) throw new Error(`${name}: ${String(result.failed)} requests failed`)
    const figure = figures.get(name)!
    figure.perSecond.push(result.perSecond)
    figure.p99.push(result.p99)
    figure.micros.push(((processorTime(target.pid) - before) * 1e6) / (result.perSecond * seconds))
    console.error(`round ${String(round)}: ${name} ${result.perSecond.toFixed(0)}/s`)
  }
}
const yardstick = median(figures.get('bare Fastify')!.perSecond)
for (const [name, { perSecond, micros, p99 }] of figures) {
  const ratio = (median(perSecond) / yardstick).toFixed(2)
  console.log(
    `${name}: ${spread(perSecond)} req/s, ${ratio} of bare; ${spread(micros, 1)} µs of CPU each; p99 ${spread(p99, 2)} ms`
  )
}
console.log(
  `resident memory: ${idle.toFixed(0)} MiB idle, ${residentMemory(service.process.pid!).toFixed(0)} MiB after the load`
)
console.log(`ready after ${service.readyAfter.toFixed(0)} ms on an empty database`)
await service.stop()
await bare.stop()
await database.stop()
