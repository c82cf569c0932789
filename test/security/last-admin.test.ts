import postgres from 'postgres'
import t from 'tap'
import { registerAdmin } from '../support/admin.ts'
import { call, logIn, type Person, registerPerson } from '../support/client.ts'
import { gatehouse } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { type Service, sql, startService } from '../support/service.ts'

const rounds = 16

const first = await startService(t)
const second = await startService(t, first.env)

const enabledAdmins = () => sql<{ id: number }>(first, 'select id from users where is_admin and not is_disabled')

/** The ways in which one is no administrator any more. */
const removals: ((service: Service, by: Person, target: Person) => ReturnType<typeof call>)[] = [
  (service, by, { id }) =>
    call(service, `PATCH /admin/users/${String(id)}`, { bearer: by.token, json: { is_admin: false } }),
  (service, by, { id }) =>
    call(service, `PATCH /admin/users/${String(id)}`, { bearer: by.token, json: { is_disabled: true } }),
  (service, by, { id }) => call(service, `DELETE /admin/users/${String(id)}`, { bearer: by.token }),
  (service, _, target) =>
    call(service, 'DELETE /auth/me', { bearer: target.token, json: { password: target.password } })
]

await t.test('administrators who remove each other on two instances always leave one', async (t) => {
  let [ann, ben] = [await registerAdmin(first, 'ann'), await registerAdmin(second, 'ben')]
  // Connections and plans are made now, and not while a row is locked that others wait for.
  const rename = (service: Service) =>
    call(service, `PATCH /admin/users/${String(ben.id)}`, { bearer: ann.token, json: { first_name: service.url } })
  for (let round = 0; round < 3; round++) await Promise.all([first, second, first, second].map(rename))
  for (let round = 0; round < rounds; round++) {
    const remove = removals[round % removals.length]!
    const other = removals[(round + (round >> 2)) % removals.length]!
    const answers = await Promise.all([
      remove(first, ann, ben),
      other(second, ben, ann),
      remove(second, ann, ben),
      other(first, ben, ann)
    ])
    const statuses = answers.map(({ status }) => status)
    t.strictSame(
      statuses.filter((status) => status >= 500),
      [],
      `round ${String(round)}: ${statuses.join(' ')}`
    )
    const left = await enabledAdmins()
    t.ok(left.length >= 1, `round ${String(round)}: ${statuses.join(' ')} left ${String(left.length)}`)
    // The one who is left makes way for two new ones.
    await sql(first, 'update users set is_admin = false')
    ;[ann, ben] = [await registerAdmin(first, 'ann'), await registerAdmin(second, 'ben')]
  }
})

await t.test('a user who is about to be demoted, and the one who demotes them, do not block each other', async (t) => {
  await sql(first, 'update users set is_admin = false')
  const [ann, ben] = [await registerAdmin(first, 'ann'), await registerAdmin(first, 'ben')]
  const url = first.env.DATABASE_URL!
  const holder = postgres(url, { max: 1 })
  t.teardown(() => holder.end())
  const { pathname } = new URL(url)
  // So that a deadlock, were there one, would end in a 503, and not be found in time and tried again.
  await sql(first, `alter database ${pathname.slice(1)} set deadlock_timeout = '1min'`)
  const service = await startService(t, first.env)
  const waiting = (count: number) => async () =>
    (await sql(first, "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"))
      .length === count

  let answers: Promise<Awaited<ReturnType<typeof call>>[]>
  await holder.begin(async (tx) => {
    await tx`select 1 from users where id = ${ann.id} for update`
    const disabling = call(service, `PATCH /admin/users/${String(ann.id)}`, {
      bearer: ben.token,
      json: { is_disabled: true }
    })
    await eventually(t, 'ben waits for ann', waiting(1))
    await sql(first, 'update users set is_admin = false, version = version + 1 where id = $1', [ben.id])
    const renaming = call(service, `PATCH /admin/users/${String(ben.id)}`, {
      bearer: ann.token,
      json: { first_name: 'Ben' }
    })
    await eventually(t, 'and so does she who asks for another change of him', waiting(2))
    answers = Promise.all([disabling, renaming])
  })
  t.strictSame(
    (await answers!).map(({ status }) => status),
    [401, 200]
  )
})

await t.test('the last enabled administrator can be neither demoted, disabled nor deleted', async (t) => {
  await sql(first, 'update users set is_admin = false')
  const ann = await registerAdmin(first, 'ann')
  const disabled = await registerAdmin(first, 'ben')
  await sql(first, 'update users set is_disabled = true where id = $1', [disabled.id])
  for (const remove of removals) {
    t.match(await remove(second, ann, ann), { status: 409, body: { code: 'last_admin' } })
  }
  const env = { DATABASE_URL: first.env.DATABASE_URL! }
  for (const args of [
    ['disable', ann.username],
    ['revoke', ann.username, 'admin']
  ]) {
    t.match(await gatehouse(t, ['users', ...args], { env }), { status: 1, stderr: /make another user admin first/ })
  }
  t.equal((await call(first, 'GET /admin/users', { bearer: ann.token })).status, 200, 'and their token is good')
  const json = { first_name: 'Ann', is_admin: true, is_disabled: false }
  const kept = await call(first, `PATCH /admin/users/${String(ann.id)}`, { bearer: ann.token, json })
  t.match(kept, { status: 200, body: { first_name: 'Ann', is_admin: true } }, 'other changes are none of this')
})

await t.test('administrators who cannot log in do not count as administrators who are left', async (t) => {
  await sql(first, 'update users set is_admin = false')
  const ann = await registerAdmin(first, 'ann')
  const json = { username: 'invited-admin', email: 'invited-admin@example.com', is_admin: true }
  const invited = await call(first, 'POST /admin/users', { bearer: ann.token, json })
  t.equal(invited.status, 201, 'an administrator without a password')
  for (const remove of removals) {
    t.match(await remove(second, ann, ann), { status: 409, body: { code: 'last_admin' } })
  }
  const { id } = invited.body as { id: number }
  t.equal((await call(first, `DELETE /admin/users/${String(id)}`, { bearer: ann.token })).status, 204)
})

await t.test('where addresses must be verified, administrators whose address is not do not count', async (t) => {
  await sql(first, 'update users set is_admin = false')
  const [ann, ben] = [await registerAdmin(first, 'ann'), await registerAdmin(first, 'ben')]
  await sql(first, 'update users set email_verified = true where id = $1', [ann.id])
  const strict = await startService(t, { ...first.env, REQUIRE_VERIFIED_EMAIL: 'on' })
  for (const remove of removals) {
    t.match(await remove(strict, ann, ann), { status: 409, body: { code: 'last_admin' } })
  }
  const readdress = await call(strict, `PATCH /admin/users/${String(ann.id)}`, {
    bearer: ann.token,
    json: { email: 'mistyped@example.com' }
  })
  t.match(readdress, { status: 409, body: { code: 'last_admin' } }, 'nor by an address that nobody has verified')
  const env = { DATABASE_URL: first.env.DATABASE_URL!, REQUIRE_VERIFIED_EMAIL: 'on' }
  t.match(await gatehouse(t, ['users', 'disable', ann.username], { env }), { status: 1, stderr: /another user admin/ })
  t.equal((await removals[0]!(strict, ann, ben)).status, 200, 'those who cannot log in are no obstacle')
  const carl = await registerAdmin(first, 'carl')
  await sql(first, 'update users set email_verified = true where id = $1', [carl.id])
  const both = await Promise.all([removals[3]!(first, ann, ann), removals[3]!(strict, carl, carl)])
  t.same(both.map(({ status }) => status).sort(), [204, 409], 'and of two who leave at once one stays')
})

await t.test('who is demoted or disabled on one instance is refused on the other at once', async (t) => {
  const admin = await registerAdmin(first)
  const demoted = await registerAdmin(first)
  await call(first, `PATCH /admin/users/${String(demoted.id)}`, { bearer: admin.token, json: { is_admin: false } })
  const person = await registerPerson(first)
  await call(first, `PATCH /admin/users/${String(person.id)}`, { bearer: admin.token, json: { is_disabled: true } })
  const refusedWithin = async (bearer: string, path: `GET /${string}`) => {
    const began = performance.now()
    while ((await call(second, path, { bearer })).status !== 401) {
      if (performance.now() - began > 1000) return false
    }
    return true
  }
  t.ok(await refusedWithin(demoted.token, 'GET /admin/users'))
  t.ok(await refusedWithin(person.token, 'GET /auth/me'))
  t.equal((await call(second, 'GET /admin/users', { bearer: await logIn(second, demoted) })).status, 403)
})
