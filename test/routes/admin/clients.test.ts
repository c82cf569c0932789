import t from 'tap'
import { call, logIn, registerPerson } from '../../support/client.ts'
import { askToken, createClient, tokenOf } from '../../support/service-client.ts'
import { kinds, sql, startService } from '../../support/service.ts'

interface Created {
  id: string
  client_secret: string
  secrets: { id: string }[]
}

async function startWithAdmin(t: Parameters<typeof startService>[0], kind?: (typeof kinds)[number]) {
  const service = await startService(t, {}, kind)
  const person = await registerPerson(service, 'admin')
  await service.app.operations.updateUser({ username: person.username }, { isAdmin: true }, {})
  const bearer = await logIn(service, person)
  const admin = (operation: `${string} /${string}`, json?: unknown) =>
    call(service, operation, { bearer, ...(json !== undefined && { json }) })
  return { service, person, admin }
}

for (const kind of kinds) {
  await t.test(`the life of a service client, on ${kind}`, async (t) => {
    const { service, admin } = await startWithAdmin(t, kind)

    const made = await admin('POST /admin/clients', { name: 'billing', is_reader: true })
    const { id, client_secret: secret, secrets } = made.body as Created
    t.equal(made.status, 201)
    t.match(secret, /^gatehouse_[A-Za-z0-9_-]{43}$/)
    const shown: Partial<Created> = { ...(made.body as Created) }
    delete shown.client_secret
    t.match(shown, {
      id: /^[0-9a-f-]{36}$/,
      name: 'billing',
      is_reader: true,
      is_author: false,
      is_admin: false,
      is_disabled: false,
      created_at: /Z$/,
      secrets: [{ id: String, created_at: /Z$/, last_used_at: null }]
    })
    t.strictSame((await admin(`GET /admin/clients/${id}`)).body, shown, 'and never the secret again')

    const token = await tokenOf(service, { id, secret })
    const used = (await admin(`GET /admin/clients/${id.toUpperCase()}`)).body as { secrets: { last_used_at: string }[] }
    t.match(used.secrets[0]?.last_used_at, /Z$/)

    const second = await admin(`POST /admin/clients/${id}/secrets`)
    t.equal(second.status, 201)
    const { id: secondId, client_secret: secondSecret } = second.body as Created
    t.strictSame(Object.keys(second.body as object).sort(), ['client_secret', 'created_at', 'id', 'last_used_at'])
    const third = await admin(`POST /admin/clients/${id}/secrets`)
    t.match([third.status, third.body], [409, { code: 'too_many_secrets' }])

    t.equal((await admin(`DELETE /admin/clients/${id}/secrets/${secrets[0]!.id}`)).status, 204)
    t.equal((await admin(`DELETE /admin/clients/${id}/secrets/${secrets[0]!.id}`)).status, 404)
    t.equal((await call(service, 'GET /authz', { bearer: token })).status, 401)
    t.equal((await askToken(service, { id, secret })).status, 401)
    t.equal((await askToken(service, { id, secret: secondSecret })).status, 200)

    const change = { name: 'invoices', is_reader: false, is_author: true, is_disabled: true }
    const changed = await admin(`PATCH /admin/clients/${id}`, change)
    t.match([changed.status, changed.body], [200, change])
    t.equal((await askToken(service, { id, secret: secondSecret })).status, 401)
    t.match((await admin(`PATCH /admin/clients/${id}`, { is_disabled: false })).body, { ...change, is_disabled: false })
    t.match((await askToken(service, { id, secret: secondSecret })).body, { scope: 'author' })

    t.equal((await admin(`DELETE /admin/clients/${id}/secrets/${secondId}`)).status, 204, 'the last one may be ended')
    t.match((await admin(`GET /admin/clients/${id}`)).body, { secrets: [] })
    t.equal((await admin(`DELETE /admin/clients/${id}`)).status, 204)
    for (const operation of ['GET', 'DELETE'] as const)
      t.equal((await admin(`${operation} /admin/clients/${id}`)).status, 404)
    t.equal((await admin(`PATCH /admin/clients/${id}`, {})).status, 404)
    t.equal((await admin(`POST /admin/clients/${id}/secrets`)).status, 404)

    await t.test('the list comes in pages, the oldest first', async (t) => {
      t.strictSame((await admin('GET /admin/clients')).body, { items: [], next_cursor: null })
      const names = Array.from({ length: 7 }, (_, n) => `service ${String(n)}`)
      for (const name of names) await createClient(service, { name })
      const seen: string[] = []
      let query = ''
      for (let pages = 1; pages <= 3; pages++) {
        const { items, next_cursor } = (await admin(`GET /admin/clients?limit=3${query}`)).body as {
          items: { name: string; secrets: object[] }[]
          next_cursor: string | null
        }
        seen.push(...items.map(({ name }) => name))
        t.ok(items.every(({ secrets }) => secrets.length === 1))
        t.equal(next_cursor === null, pages === 3, `page ${String(pages)}`)
        query = `&cursor=${next_cursor ?? ''}`
      }
      t.strictSame(seen, names)
      const forged = (position: unknown[]) => Buffer.from(JSON.stringify(position)).toString('base64url')
      for (const wrong of [
        'limit=0',
        'limit=101',
        'limit=x',
        'limit=1&limit=2',
        'cursor=x',
        'cursor=MS4x',
        `cursor=${forged(['clients', 1, 'x'])}`,
        `cursor=${forged(['users by created_at', 1, 2])}`,
        'color=red'
      ]) {
        t.match((await admin(`GET /admin/clients?${wrong}`)).body, { code: 'validation_failed' }, wrong)
      }
    })
  })
}

const { service, person, admin } = await startWithAdmin(t)

await t.test('clients that were made in the same microsecond are all in the list', async (t) => {
  await sql(service, "insert into clients (name) select 'twin ' || n from generate_series(1, 9) n")
  const seen = new Set<string>()
  let query = ''
  for (let page = 0; page < 5; page++) {
    const { items, next_cursor } = (await admin(`GET /admin/clients?limit=2${query}`)).body as {
      items: { id: string; name: string }[]
      next_cursor: string
    }
    for (const { id, name } of items) if (name.startsWith('twin')) seen.add(id)
    query = `&cursor=${next_cursor}`
  }
  t.equal(seen.size, 9)
})

await t.test('what a client may not be called, and what may not be said of it', async (t) => {
  const { id } = await createClient(service)
  const wrong = [
    ...[
      {},
      { name: '' },
      { name: 'x'.repeat(101) },
      { name: 'a\0b' },
      { name: 'a\u009b' },
      { name: 1 },
      { name: null }
    ],
    ...['id', 'version', 'secrets', 'created_at', 'client_secret'].map((name) => ({ name: 'billing', [name]: 'x' }))
  ]
  for (const json of wrong) {
    const answer = await admin('POST /admin/clients', json)
    t.match([answer.status, answer.body], [400, { code: 'validation_failed' }], JSON.stringify(json))
    if ('name' in json) t.equal((await admin(`PATCH /admin/clients/${id}`, json)).status, 400, JSON.stringify(json))
  }
  t.equal((await admin('POST /admin/clients', { name: '😀'.repeat(100) })).status, 201, 'characters are code points')
  t.equal((await admin('GET /admin/clients/1')).status, 400)
})

await t.test('of several that add a secret at once, on two instances, one does', async (t) => {
  const second = await startService(t, service.env)
  const { id } = await createClient(service, { isAdmin: true })
  const bearer = await tokenOf(service, {
    id,
    secret: (await service.app.operations.addClientSecret(id, {})).clientSecret
  })
  const [secret] = (await service.app.operations.getClient(id)).secrets
  await admin(`DELETE /admin/clients/${id}/secrets/${secret!.id}`)
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      call(n % 2 === 0 ? service : second, `POST /admin/clients/${id}/secrets`, { bearer })
    )
  )
  const statuses = answers.map(({ status }) => status).sort()
  t.strictSame(statuses, [201, ...Array.from({ length: 9 }, () => 409)])
})

interface Event {
  type: string
  actor_id: number | null
  actor_client_id: string | null
  details: object
  ip: string | null
}

await t.test('each change leaves its event, with who did it, be it a user or a service', async (t) => {
  const [last] = await sql<{ id: string }>(service, 'select coalesce(max(id), 0)::text as id from audit_events')
  const made = (await admin('POST /admin/clients', { name: 'billing', is_admin: true })).body as Created
  const { id, client_secret: secret } = made
  await askToken(service, { id, secret: 'wrong' })
  await askToken(service, { id: 'what a mistaken person typed', secret: 'wrong' })
  const bearer = await tokenOf(service, { id, secret })
  await askToken(service, { id, secret })
  const byService = await call(service, 'POST /admin/clients', { bearer, json: { name: 'printing' } })
  const other = (byService.body as Created).id
  await admin(`PATCH /admin/clients/${other}`, {})
  await admin(`PATCH /admin/clients/${other}`, { name: 'press', is_reader: true, is_disabled: true })
  await admin(`PATCH /admin/clients/${other}`, { is_disabled: false, is_reader: false, is_author: true })
  const added = (await admin(`POST /admin/clients/${other}/secrets`)).body as Created
  await admin(`DELETE /admin/clients/${other}/secrets/${added.id}`)
  await admin(`DELETE /admin/clients/${other}`)

  const query = "select * from audit_events where id > $1 and type like 'client.%' order by id"
  const events = await sql<Event>(service, query, [last!.id])
  t.strictSame(
    events.map(({ type, details }) => [type, details]),
    [
      ['client.created', { client_id: id, name: 'billing', roles: ['admin'] }],
      ['client.login_failed', { client_id: id }],
      ['client.login_failed', {}],
      ['client.created', { client_id: other, name: 'printing', roles: [] }],
      ['client.updated', { client_id: other, changed: ['name'] }],
      ['client.roles_changed', { client_id: other, granted: ['reader'], withdrawn: [] }],
      ['client.disabled', { client_id: other }],
      ['client.roles_changed', { client_id: other, granted: ['author'], withdrawn: ['reader'] }],
      ['client.enabled', { client_id: other }],
      ['client.secret_created', { client_id: other, secret_id: added.id }],
      ['client.secret_ended', { client_id: other, secret_id: added.id }],
      ['client.deleted', { client_id: other, name: 'press' }]
    ],
    'and none for a token that was issued'
  )
  t.match(events[0], { actor_id: person.id, actor_client_id: null, ip: '127.0.0.1' })
  t.match(events[3], { actor_id: null, actor_client_id: id })
  t.notOk(JSON.stringify(events).includes(secret))
})

await t.test('an event that cannot be written undoes what it records', async (t) => {
  const client = await createClient(service)
  const bearer = await tokenOf(service, client)
  const before = (await admin('GET /admin/clients')).body as object
  await sql(service, 'alter table audit_events rename to audit_events_away')
  const attempts = [
    await admin('POST /admin/clients', { name: 'another' }),
    await admin(`PATCH /admin/clients/${client.id}`, { is_disabled: true }),
    await admin(`PATCH /admin/clients/${client.id}`, { is_admin: true }),
    await admin(`POST /admin/clients/${client.id}/secrets`),
    await admin(`DELETE /admin/clients/${client.id}/secrets/${client.secretId}`),
    await admin(`DELETE /admin/clients/${client.id}`)
  ]
  t.strictSame(
    attempts.map(({ status }) => status),
    [500, 500, 500, 500, 500, 500]
  )
  await sql(service, 'alter table audit_events_away rename to audit_events')
  t.strictSame((await admin('GET /admin/clients')).body, before)
  t.equal((await call(service, 'GET /authz/reader', { bearer })).status, 204)
  t.equal((await askToken(service, client)).status, 200)
})
