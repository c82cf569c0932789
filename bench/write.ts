import { hash } from '@node-rs/argon2'
import { load, median, spread } from './support/load.ts'
import { makeKeys, startBuilt, startDatabase } from './support/service.ts'
import { createUserPool } from './support/users.ts'
import { registerPerson, startSession } from '../test/support/client.ts'

// Goals 3, 5 and 6: logins beside the bare hash, refreshes, and how long reads take while logins run.
const rounds = Number(process.argv[2] ?? 5)
const seconds = Number(process.argv[3] ?? 10)

const database = await startDatabase()
const service = await startBuilt({ DATABASE_URL: database.url, KEYS_DIR: await makeKeys() })
const users = await createUserPool(service, 60, 1)
const json = { 'content-type': 'application/json' }
const logins = users.map(({ username, password }) => ({
  method: 'POST',
  path: '/auth/login',
  headers: json,
  body: JSON.stringify({ username, password, transport: 'bearer' })
}))
const reads = users.map(({ tokens }) => ({
  path: '/authz/reader',
  headers: { authorization: `Bearer ${tokens[0]!.access_token}` }
}))

const bare: number[] = []
const login: number[] = []
const quiet: number[] = []
const busy: number[] = []
for (let round = 1; round <= rounds; round++) {
  bare.push(await hashesPerSecond(seconds))
  const flood = await load({ url: service.url, requests: logins, connections: 32, seconds })
  if (flood.failed > 0) throw new Error(`${String(flood.failed)} logins failed`)
  login.push(flood.perSecond)
  quiet.push((await load({ url: service.url, requests: reads, connections: 1, atMost: 50, seconds })).p99)
  const [, read] = await Promise.all([
    load({ url: service.url, requests: logins, connections: 32, seconds }),
    load({ url: service.url, requests: reads, connections: 1, atMost: 50, seconds })
  ])
  busy.push(read.p99)
  console.error(`round ${String(round)}: ${login.at(-1)!.toFixed(0)} logins/s of ${bare.at(-1)!.toFixed(0)} hashes/s`)
}
const share = (median(login) / median(bare)).toFixed(2)
console.log(`bare argon2, 32 at once: ${spread(bare)}/s; login: ${spread(login)}/s, ${share} of it`)
console.log(`/authz/reader at 50/s: p99 ${spread(quiet, 1)} ms quiet, ${spread(busy, 1)} ms while 32 logins run`)
console.log(`refresh: ${spread(await refreshesPerSecond(rounds, seconds))}/s from 32 clients in this process`)
await service.stop()
await database.stop()

async function hashesPerSecond(time: number): Promise<number> {
  let done = 0
  const end = performance.now() + time * 1000
  const options = { memoryCost: 19456, timeCost: 2, parallelism: 1 }
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      while (performance.now() < end) {
        await hash('a long and quiet evening', options)
        done++
      }
    })
  )
  return done / time
}

/** Each client rotates a session of its own, as fast as it is answered. */
async function refreshesPerSecond(times: number, time: number): Promise<number[]> {
  const results = []
  for (let n = 0; n < times; n++) {
    const person = await registerPerson(service)
    const tokens = await Promise.all(Array.from({ length: 32 }, () => startSession(service, person)))
    let done = 0
    const end = performance.now() + time * 1000
    await Promise.all(
      tokens.map(async ({ refresh_token }) => {
        let token = refresh_token
        while (performance.now() < end) {
          const answer = await fetch(`${service.url}/auth/refresh`, {
            method: 'POST',
            headers: json,
            body: JSON.stringify({ refresh_token: token })
          })
          token = ((await answer.json()) as { refresh_token: string }).refresh_token
          done++
        }
      })
    )
    results.push(done / time)
  }
  return results
}
