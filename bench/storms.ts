import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { type Person, registerPerson } from '../test/support/client.ts'
import { arrivals, p99 } from './support/arrivals.ts'
import { load, median } from './support/load.ts'
import { type BuiltService, makeKeys, residentMemory, startBuilt, startDatabase } from './support/service.ts'

// What one user or stranger can do to the others: memory, the others' /auth/me at 50/s, and the rows that are written.
// Another build, such as that of an earlier commit, is measured by its folder.
const seconds = Number(process.argv[2] ?? 10)
const program = [join(process.argv[3] ?? '.', 'dist/cli/gatehouse.js'), 'serve']
const server = await startDatabase()
const keys = await makeKeys()

type Storm = (service: BuiltService, attackers: Person[]) => Promise<string>

const bearer = ({ token }: Person) => ({ authorization: `Bearer ${token}` })
const patch = (person: Person, change: object) => ({
  method: 'PATCH',
  path: '/auth/me',
  headers: { ...bearer(person), 'content-type': 'application/json' },
  body: JSON.stringify(change)
})

const storms: Record<string, Storm> = {
  'nothing else': async () => {
    await delay(seconds * 1000)
    return ''
  },
  '/health/live by 100 strangers, which costs nothing': async (service) =>
    flood(service, [{ path: '/health/live' }], 100),
  '80 exports of 7 MB that nobody reads': async (service, attackers) => {
    const answers = await Promise.all(attackers.map((person) => begin(service, person)))
    await delay(seconds * 1000)
    for (const answer of answers) answer?.destroy()
    return `${String(answers.filter((answer) => answer?.statusCode === 200).length)} began`
  },
  'one export of 7 MB asked for 80 times, unread': async (service, [attacker]) => {
    const answers = await Promise.all(Array.from({ length: 80 }, () => begin(service, attacker!)))
    await delay(seconds * 1000)
    for (const answer of answers) answer?.destroy()
    return `${String(answers.filter((answer) => answer?.statusCode === 200).length)} began`
  },
  'PATCH of a name': async (service, [attacker]) =>
    flood(
      service,
      ['Ann', 'Ben'].map((first_name) => patch(attacker!, { first_name }))
    ),
  'PATCH of the address': async (service, [attacker]) =>
    flood(
      service,
      Array.from({ length: 500 }, (_, n) => patch(attacker!, { email: `stranger-${String(n)}@example.com` }))
    ),
  'what a reader may not': async (service, [attacker]) =>
    flood(service, [{ path: '/admin/users', headers: bearer(attacker!) }]),
  '/health/ready by 100 strangers': async (service) => flood(service, [{ path: '/health/ready' }], 100)
}

for (const [name, storm] of Object.entries(storms)) {
  const url = await createDatabase(server.url, `storm_${String(Object.keys(storms).indexOf(name))}`)
  const settings = { DATABASE_URL: url, KEYS_DIR: keys }
  // Registers without limits, and is measured with them.
  const beginning = await startBuilt(settings, program)
  const other = await registerPerson(beginning)
  const attackers = []
  for (let n = 0; n < (name.startsWith('80') ? 80 : 1); n++) attackers.push(await registerPerson(beginning))
  await beginning.stop()
  if (name.includes('export')) await addEvents(url, attackers)
  const before = await rowsWritten(url)

  const service = await startBuilt({ ...settings, RATE_LIMIT: 'on' }, program)
  const me = { url: `${service.url}/auth/me`, headers: bearer(other), perSecond: 50 }
  await Promise.all([
    arrivals(me, delay(3000)),
    load({ url: service.url, requests: [{ path: '/health/live' }], connections: 100, seconds: 3 })
  ])
  const idle = residentMemory(service.process.pid!)
  let most = idle
  const watch = setInterval(() => (most = Math.max(most, residentMemory(service.process.pid!))), 50)
  const raging = storm(service, attackers)
  const { times, failed } = await arrivals(me, raging)
  clearInterval(watch)
  await service.stop()
  const after = await rowsWritten(url)

  const written = [...after]
    .map(([table, rows]) => [table, rows - (before.get(table) ?? 0)] as const)
    .filter(([, rows]) => rows > 0)
  console.log(`${name} ${await raging}`)
  console.log(`  memory ${idle.toFixed(0)} → ${most.toFixed(0)} MiB`)
  console.log(
    `  others: median ${median(times).toFixed(1)} ms, p99 ${p99(times).toFixed(1)} ms, longest ${times.at(-1)!.toFixed(0)} ms, ${String(failed)} of ${String(times.length)} failed`
  )
  console.log(`  rows: ${written.map(([table, rows]) => `${table} ${String(rows)}`).join(', ') || 'none'}`)
}

await server.stop()

async function flood({ url }: BuiltService, requests: Parameters<typeof load>[0]['requests'], connections = 32) {
  const { perSecond, failed } = await load({ url, requests, connections, seconds })
  return `${perSecond.toFixed(0)}/s, of which ${(failed / seconds).toFixed(0)} refused`
}

async function createDatabase(url: string, name: string): Promise<string> {
  const sql = postgres(url, { max: 1 })
  await sql`create database ${sql(name)}`
  await sql.end()
  return Object.assign(new URL(url), { pathname: name }).href
}

/** Asks for an export and reads no more of it than the headers. @returns undefined if not even they come */
function begin({ url }: BuiltService, person: Person): Promise<IncomingMessage | undefined> {
  return new Promise((resolve) => {
    get(`${url}/auth/me/export`, { headers: bearer(person), agent: false }, (answer) => {
      answer.pause().on('error', () => undefined)
      resolve(answer)
    }).on('error', () => {
      resolve(undefined)
    })
  })
}

/** As many events as an export holds, each of 700 bytes. */
async function addEvents(url: string, people: Person[]): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  await sql`insert into audit_events (type, actor_id, user_id, details)
    select 'user.updated', id, id, jsonb_build_object('text', repeat('x', 600))
    from generate_series(1, 10000), unnest(${people.map(({ id }) => id)}::integer[]) id`
  await sql`vacuum analyze audit_events`
  await sql`checkpoint`
  await sql.end()
}

/** Rows inserted, updated and deleted by table. PostgreSQL counts them when a connection ends. */
async function rowsWritten(url: string): Promise<Map<string, number>> {
  const sql = postgres(url, { max: 1 })
  const rows = await sql<{ table: string; rows: number }[]>`
    select relname as table, (n_tup_ins + n_tup_upd + n_tup_del)::integer as rows from pg_stat_user_tables`
  await sql.end()
  return new Map(rows.map(({ table, rows }) => [table, rows]))
}
