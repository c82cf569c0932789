import { call, registerPerson, startSession, type Tokens } from '../test/support/client.ts'
import { makeKeys, startBuilt, startDatabase } from './support/service.ts'

// 100 parallel refreshes of one token over two instances, and logouts that race refreshes: many rounds of what the tests do few of.
const rounds = Number(process.argv[2] ?? 200)

const database = await startDatabase()
const first = await startBuilt({ DATABASE_URL: database.url, KEYS_DIR: await makeKeys() })
const second = await startBuilt(first.env)
const instances = [first, second]
const person = await registerPerson(first)
const refresh = (instance: number, refresh_token: string) =>
  call(instances[instance % 2]!, 'POST /auth/refresh', { json: { refresh_token } })

let token = (await startSession(first, person)).refresh_token
let forks = 0
let lost = 0
const started = performance.now()
for (let round = 0; round < rounds; round++) {
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => refresh(n, token)))
  lost += answers.filter((answer) => answer.status !== 200).length
  const successors = [...new Set(answers.map((answer) => (answer.body as Tokens).refresh_token))]
  forks += successors.length - 1
  token = successors[0]!
}
const seconds = (performance.now() - started) / 1000
const last = await refresh(0, token)
console.log(
  `${String(rounds)} rounds of 100 parallel refreshes over two instances in ${seconds.toFixed(1)} s: ` +
    `${String(forks)} forks, ${String(lost)} without a token, the last successor refreshed with ${String(last.status)}`
)

let usable = 0
for (let round = 0; round < rounds; round++) {
  const session = await startSession(first, person)
  const [refreshed] = await Promise.all([
    refresh(1, session.refresh_token),
    call(first, 'POST /auth/logout', { bearer: session.access_token })
  ])
  for (const tokens of refreshed.status === 200 ? [session, refreshed.body as Tokens] : [session]) {
    if ((await call(first, 'GET /authz', { bearer: tokens.access_token })).status === 204) usable++
    if ((await refresh(0, tokens.refresh_token)).status === 200) usable++
  }
}
console.log(`${String(rounds)} logouts that raced a refresh: ${String(usable)} tokens usable afterwards`)

await first.stop()
await second.stop()
await database.stop()
