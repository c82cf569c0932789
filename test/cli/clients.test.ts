import t from 'tap'
import { call } from '../support/client.ts'
import { gatehouse } from '../support/command.ts'
import { eventuallyAnswers } from '../support/eventually.ts'
import { askToken, tokenOf } from '../support/service-client.ts'
import { createDatabase, sql, startService } from '../support/service.ts'

interface Created {
  id: string
  client_secret: string
  secrets: { id: string }[]
}

await t.test('the life of a client on the command line, which a running service follows', async (t) => {
  const service = await startService(t)
  const env = { DATABASE_URL: service.env.DATABASE_URL! }
  const clients = (...args: string[]) => gatehouse(t, ['clients', ...args], { env })

  const made = await clients('create', '--name', 'billing', '--role', 'reader', '--role', 'author', '--json')
  t.match(made, { status: 0, stderr: '' })
  const created = JSON.parse(made.stdout) as Created
  const { id, client_secret: secret } = created
  t.match(created, { name: 'billing', is_reader: true, is_author: true, is_admin: false, is_disabled: false })
  const token = await tokenOf(service, { id, secret })

  const added = await clients('add-secret', id, '--json')
  const next = JSON.parse(added.stdout) as Created
  t.strictSame(await clients('add-secret', id), {
    status: 1,
    stdout: '',
    stderr: 'gatehouse: A client has at most two secrets: delete one of them first\n'
  })
  const [old] = created.secrets
  t.strictSame(await clients('end-secret', id, old!.id), { status: 0, stdout: `Ended ${old!.id}\n`, stderr: '' })
  await eventuallyAnswers(t, 401, () => call(service, 'GET /authz', { bearer: token }))
  await eventuallyAnswers(t, 200, () => askToken(service, { id, secret: next.client_secret }))

  t.match(await clients('disable', id), { status: 0, stdout: 'Now disabled: billing, reader and author\n' })
  await eventuallyAnswers(t, 401, () => askToken(service, { id, secret: next.client_secret }))
  t.match(await clients('enable', id), { status: 0, stdout: 'Now enabled: billing, reader and author\n' })
  await eventuallyAnswers(t, 200, () => askToken(service, { id, secret: next.client_secret }))

  t.match(
    (await clients('list')).stdout,
    new RegExp(`^ID .* NAME\\n${id}  enabled  reader,author  ${next.id}  billing\\n$`)
  )

  t.match(await clients('delete', id), { status: 0, stdout: `Deleted ${id}\n` })
  await eventuallyAnswers(t, 401, () => askToken(service, { id, secret: next.client_secret }))
  t.equal((await clients('list', '--json')).stdout, '[]\n')
})

await t.test('scopes are given and replaced on the command line', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t) }
  const clients = (...args: string[]) => gatehouse(t, ['clients', ...args], { env })
  const made = await clients('create', '--name', 'reports', '--scope', 'users:read', '--scope', 'introspect', '--json')
  const { id } = JSON.parse(made.stdout) as Created
  t.match(JSON.parse(made.stdout), { scopes: ['users:read', 'introspect'] })
  t.match((await clients('list')).stdout, `\n${id}  enabled  users:read  `)
  t.match(await clients('set-scopes', id, 'audit:read'), {
    status: 0,
    stdout: 'Now with audit:read: reports, audit:read\n'
  })
  t.match(await clients('set-scopes', id), { status: 0, stdout: 'Now with no scope: reports, without a role\n' })
  t.match(await clients('set-scopes', id, 'admin'), { status: 2, stdout: '' })
  t.match(JSON.parse((await clients('list', '--json')).stdout), [{ scopes: [] }])
})

await t.test('clients create says in words what to keep, on embedded', async (t) => {
  const made = await gatehouse(t, ['clients', 'create', '--name', 'billing'], {
    env: { DATABASE_URL: await createDatabase(t, 'embedded') }
  })
  t.match(made, { status: 0, stderr: '' })
  t.match(
    made.stdout,
    /^Created billing, without a role\nclient_id: [0-9a-f-]{36}\nclient_secret: gatehouse_[A-Za-z0-9_-]{43}\n$/
  )
})

await t.test('what is not there is said in one line', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t) }
  const unknown = '00000000-0000-4000-8000-000000000000'
  const run = (...args: string[]) => gatehouse(t, ['clients', ...args], { env })
  const refusals: [words: string, ending: ReturnType<typeof run>, status?: number][] = [
    ['There is no client billing', run('delete', 'billing')],
    [`There is no secret ${unknown} of client ${unknown}`, run('end-secret', unknown, unknown)],
    ['name must have 1 to 100 characters', run('create', '--name', '')],
    ['Allowed choices are reader, author, admin', run('create', '--name', 'billing', '--role', 'owner'), 2]
  ]
  for (const [words, ending, expected = 1] of refusals) {
    const { status, stdout, stderr } = await ending
    t.strictSame([status, stdout], [expected, ''], words)
    t.match(stderr, words)
    t.equal(stderr.trimEnd().split('\n').length, 1, `one line: ${stderr}`)
  }
  const [count] = await sql<{ count: string }>({ env }, 'select count(*) from clients')
  t.equal(count?.count, '0')
})

await t.test('the name of a client does not command a terminal', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t) }
  await gatehouse(t, ['clients', 'create', '--name', 'pay\u202egnillib'], { env })
  t.match((await gatehouse(t, ['clients', 'list'], { env })).stdout, / {2}pay\?gnillib\n$/)
})
