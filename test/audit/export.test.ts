import { get, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import postgres from 'postgres'
import t from 'tap'
import { registerAdmin } from '../support/admin.ts'
import { call, type Person, registerPerson } from '../support/client.ts'
import { from, startLimited, statuses, times } from '../support/limited.ts'
import { type Service, sql, startService } from '../support/service.ts'

const service = await startService(t)

interface Export {
  audit_events: { id: number; type: string; details: Record<string, unknown> }[]
  is_complete: boolean
}

/** Adds events, each of so many bytes. */
const addEvents = (ids: number[], count: number, bytes = 10) =>
  sql(
    service,
    `insert into audit_events (type, actor_id, user_id, details, created_at)
     select 'user.updated', id, id, jsonb_build_object('text', repeat('x', $1)), now() - n / 3 * interval '1 second'
     from generate_series(1, $2) n, unnest(string_to_array($3, ',')::integer[]) id`,
    [bytes, count, ids.join()]
  )

const exportOf = (person: Person) => call(service, 'GET /auth/me/export', { bearer: person.token })

/** Asks for an export and reads no more of it than the headers. */
const begin = ({ token }: Person, { url } = service): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get(`${url}/auth/me/export`, { headers: { authorization: `Bearer ${token}` }, agent: false }, (answer) => {
      answer.pause().on('error', () => undefined)
      resolve(answer)
    }).on('error', reject)
  })

/** Counts the pages of events that are asked for from now on. */
function countPages({ app }: Service): () => number {
  const { db } = app.database
  const select = db.select.bind(db)
  let pages = 0
  t.intercept(db, 'select', {
    value: (columns: Parameters<typeof select>[0]) => {
      if ('microseconds' in columns) pages += 1
      return select(columns)
    }
  })
  return () => pages
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}

await t.test('an export holds every event once, over as many pages as it takes, and says where it ends', async (t) => {
  const person = await registerPerson(service)
  await addEvents([person.id], 1000)
  const whole = (await exportOf(person)).body as Export
  t.equal(whole.audit_events.length, 1002)
  t.equal(new Set(whole.audit_events.map(({ id }) => id)).size, 1002)
  t.equal(whole.audit_events.at(-1)?.details.text, 'x'.repeat(10), 'the oldest of them comes last')
  t.equal(whole.is_complete, true)
  await addEvents([person.id], 8998)
  const full = (await exportOf(person)).body as Export
  t.match([full.audit_events.length, full.is_complete], [10_000, true])
  await addEvents([person.id], 1)
  const part = (await exportOf(person)).body as Export
  t.match([part.audit_events.length, part.is_complete], [10_000, false])
  t.equal((await call(service, 'HEAD /auth/me/export', { bearer: person.token })).status, 200)
})

await t.test(
  'of what others did to a user their export tells that it happened, and nothing of the others',
  async (t) => {
    const person = await registerPerson(service)
    const admin = await registerAdmin(service)
    await call(service, 'PATCH /auth/me', { bearer: person.token, json: { first_name: 'Ann' } })
    await call(service, `PATCH /admin/users/${String(person.id)}`, {
      bearer: admin.token,
      headers: { 'user-agent': 'the browser of an administrator' },
      json: { first_name: 'Ada' }
    })
    const [theirs, own] = ((await exportOf(person)).body as Export).audit_events
    const nobody = { actor_id: null, actor_client_id: null, ip: null, user_agent: null, request_id: null }
    t.match(theirs, { type: 'user.updated', user_id: person.id, ...nobody, details: { changed: ['first_name'] } })
    t.match(own, { actor_id: person.id, ip: '127.0.0.1', user_agent: 'node', request_id: /./ })
    const answer = await call(service, `GET /admin/audit-events?user_id=${String(person.id)}&limit=1`, {
      bearer: admin.token
    })
    t.match(answer.body, { items: [{ actor_id: admin.id, ip: '127.0.0.1', request_id: /./ }] }, 'the audit keeps it')
  }
)

await t.test(
  'clients that do not read an export hold up its reading from the database, take no connection, and are cut',
  async (t) => {
    const timeouts = { headers: 10_000, request: 10_000, inactivity: 3000, keepAlive: 72_000, checkInterval: 1000 }
    const strict = await startService(t, { ...service.env, DATABASE_POOL_SIZE: '2' }, 'postgres', { timeouts })
    const people = await Promise.all(Array.from({ length: 4 }, () => registerPerson(service)))
    const pages = 20
    await addEvents(
      people.map(({ id }) => id),
      pages * 200,
      5000
    )
    const pagesAsked = countPages(strict)
    const sockets: Socket[] = []
    strict.app.server.on('connection', (socket: Socket) => sockets.push(socket))
    const answers = await Promise.all(people.map((person) => begin(person, strict)))
    const slow = [...sockets]
    const closed = answers.map((answer) => new Promise((resolve) => answer.once('close', resolve)))
    const [first] = people as [Person]
    const refused = await call(strict, 'GET /auth/me/export', { bearer: first.token })
    t.match(refused, { status: 429, body: { code: 'rate_limited', detail: /under way/ } }, 'one at a time for a user')
    t.match(refused.headers.get('retry-after'), /^\d+$/)
    for (const { token } of people) t.equal((await call(strict, 'GET /auth/me', { bearer: token })).status, 200)
    await until(() => slow.every(({ destroyed }) => destroyed))
    const asked = pagesAsked() / people.length
    t.ok(asked >= 1 && asked < pages / 2, `${String(asked)} pages for each of those who read nothing`)
    for (const answer of answers) answer.resume()
    await Promise.all(closed)
    t.ok(answers.every(({ complete }) => !complete))
    t.equal((await call(strict, 'GET /auth/me/export', { bearer: first.token })).status, 200, 'and may ask again')
  }
)

await t.test('however many exports are read, one statement of theirs stands before those of others', async (t) => {
  const small = await startService(t, { ...service.env, DATABASE_POOL_SIZE: '2' })
  const people = await Promise.all(Array.from({ length: 5 }, () => registerPerson(service)))
  const other = await registerPerson(service)
  const admin = postgres(small.env.DATABASE_URL ?? '', { max: 1 })
  t.teardown(() => admin.end())
  let exports: Promise<unknown> | undefined
  await admin.begin(async (locking) => {
    await locking`lock table audit_events in access exclusive mode`
    exports = Promise.all(people.map(({ token }) => call(small, 'GET /auth/me/export', { bearer: token })))
    for (let round = 0; round < 20; round++) {
      t.equal((await call(small, 'GET /auth/me', { bearer: other.token })).status, 200)
    }
    const waiting = await sql(small, "select 1 from pg_locks where relation = 'audit_events'::regclass and not granted")
    t.ok(waiting.length <= 1, `${String(waiting.length)} of their statements`)
  })
  await exports
})

await t.test('a client that goes away may ask again at once', async (t) => {
  const person = await registerPerson(service)
  await addEvents([person.id], 2000, 5000)
  for (let round = 0; round < 3; round++) {
    const answer = await begin(person)
    answer.destroy()
    await until(async () => (await exportOf(person)).status === 200)
  }
  t.pass()
})

await t.test('an export that fails midway does not look complete', async (t) => {
  const [person, other] = [await registerPerson(service), await registerPerson(service)]
  await addEvents([person.id], 4000, 10_000)
  const answer = await begin(person)
  const logged = service.log.length
  await sql(service, 'alter table audit_events rename to audit_events_away')
  t.match(await exportOf(other), { status: 500, body: { code: 'internal_error' } }, 'one that has not begun says so')
  let text = ''
  answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await new Promise((resolve) => answer.once('close', resolve).resume())
  await sql(service, 'alter table audit_events_away rename to audit_events')
  t.equal(answer.statusCode, 200)
  t.equal(answer.complete, false, 'HTTP says so')
  t.throws(() => JSON.parse(text) as unknown, 'and so does JSON')
  t.match(service.log.slice(logged).join(''), /an export failed midway/, 'and the log says why')
})

await t.test('a user exports five times an hour, and changes their profile sixty times', async (t) => {
  const limited = await startLimited(t)
  const [person, other] = [await registerPerson(limited), await registerPerson(limited)]
  const exports = await times(6, (index) =>
    call(limited, 'GET /auth/me/export', { bearer: person.token, headers: from(`10.0.0.${String(index)}`) })
  )
  t.same(statuses(exports), [200, 200, 200, 200, 200, 429])
  t.ok(Number(exports.at(-1)?.headers.get('retry-after')) > 3000)
  t.equal((await call(limited, 'GET /auth/me/export', { bearer: other.token })).status, 200)
  const changes = await times(61, (index) =>
    call(limited, 'PATCH /auth/me', { bearer: person.token, json: { first_name: `Ann ${String(index)}` } })
  )
  t.same(statuses(changes), [...Array.from({ length: 60 }, () => 200), 429])
})
