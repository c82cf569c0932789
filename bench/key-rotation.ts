import { setTimeout as delay } from 'node:timers/promises'
import { generateSigningKey } from '../src/keys/key-files.ts'
import { call, registerPerson, startSession, type Tokens } from '../test/support/client.ts'
import { makeKeys, startBuilt, startDatabase } from './support/service.ts'

// A new key every two seconds, under load on two instances: tokens that one issues are good at the other at once.
const seconds = Number(process.argv[2] ?? 60)

const database = await startDatabase()
const dir = await makeKeys()
const settings = { DATABASE_URL: database.url, KEYS_DIR: dir, KEY_ACTIVATION_DELAY_SECONDS: '1' }
const first = await startBuilt(settings)
const instances = [first, await startBuilt(first.env)]
const person = await registerPerson(first)

const kids = new Set<string>()
let asked = 0
let refused = 0
let rotating = true
const load = Promise.all(
  Array.from({ length: 8 }, async (_, client) => {
    let session = await startSession(first, person)
    for (let n = client; rotating; n++) {
      const answer = await call(instances[n % 2]!, 'POST /auth/refresh', {
        json: { refresh_token: session.refresh_token }
      })
      session = answer.body as Tokens
      kids.add(session.access_token.split('.')[0]!)
      const check = await call(instances[(n + 1) % 2]!, 'GET /authz', { bearer: session.access_token })
      asked += 2
      if (answer.status !== 200 || check.status !== 204) refused++
    }
  })
)
for (let round = 0; round < seconds / 2; round++) {
  generateSigningKey(dir)
  await delay(2000)
}
rotating = false
await load
console.log(
  `${String(asked)} requests in ${String(seconds)} s, ${String(kids.size)} keys signed: ${String(refused)} refused`
)
for (const instance of instances) await instance.stop()
await database.stop()
