import t from 'tap'
import { type ClientScope, clientScopes } from '../../src/scopes.ts'
import { registerAdmin } from '../support/admin.ts'
import { call, logIn, registerPerson } from '../support/client.ts'
import { partsOf } from '../support/forge.ts'
import { operationsOf } from '../support/operations.ts'
import { askToken, createClient, introspect, post, type ServiceClient, tokenOf } from '../support/service-client.ts'
import { sql, startService } from '../support/service.ts'

const service = await startService(t)
const admin = await registerAdmin(service)
const person = await registerPerson(service)
const narrow = (...scopes: ClientScope[]) => createClient(service, { name: scopes.join(), scopes })

/** A caller with the client's token, which asks for a scope where one is named. */
async function callerOf(client: ServiceClient, scope?: string) {
  const answer = await askToken(service, client, scope === undefined ? {} : { scope })
  const bearer = (answer.body as { access_token: string }).access_token
  return (operation: `${string} /${string}`, json?: unknown) =>
    call(service, operation, { bearer, ...(json !== undefined && { json }) })
}

/** The scope that lets a service in, and a body that is valid. */
const routes: Record<string, [scope: ClientScope, body?: object]> = {
  'GET /admin/users': ['users:read'],
  'POST /admin/users': ['users:write', { username: 'invited', email: 'invited@example.com' }],
  'GET /admin/users/{id}': ['users:read'],
  'PATCH /admin/users/{id}': ['users:write', { first_name: 'Ada' }],
  'DELETE /admin/users/{id}': ['users:write'],
  'GET /admin/users/{id}/sessions': ['users:read'],
  'DELETE /admin/users/{id}/sessions': ['sessions:revoke'],
  'POST /admin/sessions/revoke': ['sessions:revoke', { all: true, dry_run: true }],
  'GET /admin/audit-events': ['audit:read'],
  'GET /admin/clients': ['clients'],
  'POST /admin/clients': ['clients', { name: 'made by a service', scopes: [] }],
  'GET /admin/clients/{id}': ['clients'],
  'PATCH /admin/clients/{id}': ['clients', { name: 'changed' }],
  'DELETE /admin/clients/{id}': ['clients'],
  'POST /admin/clients/{id}/secrets': ['clients'],
  'DELETE /admin/clients/{id}/secrets/{secret_id}': ['clients']
}

await t.test('a service passes exactly the routes that its scopes name', async (t) => {
  const operations = (await operationsOf(service)).filter(({ name }) => name.includes(' /admin/'))
  t.strictSame(
    operations.filter(({ name }) => !(name in routes)).map(({ name }) => name),
    [],
    'every route is here'
  )
  for (const scope of clientScopes) {
    const client = await narrow(scope)
    const caller = await callerOf(client)
    const passed: string[] = []
    for (const { name, request } of operations) {
      // User 1 is the administrator: what may not be done to them is asked below.
      const { status } = await caller(request.replace('/users/1', '/users/999') as typeof request, routes[name]?.[1])
      if (status !== 403) passed.push(name)
    }
    const expected = Object.keys(routes).filter((name) => routes[name]?.[0] === scope)
    t.strictSame(passed.sort(), expected.sort(), scope)
    t.equal((await caller('GET /authz/admin')).status, 403, 'and no guard of a role')
  }
})

await t.test('the token says so, and asks for less where it likes', async (t) => {
  const client = await createClient(service, { isReader: true, scopes: ['users:read', 'audit:read', 'introspect'] })
  t.match((await askToken(service, client)).body, { scope: /^reader users:read audit:read$/ })
  const answer = await askToken(service, client, { scope: 'audit:read' })
  const { access_token: token } = answer.body as { access_token: string }
  t.match(partsOf(token).payload, { scope: /^audit:read$/, is_reader: false })
  t.match(JSON.parse(await introspect(service, client, token)), { active: true, scope: /^audit:read$/ })
  const caller = await callerOf(client, 'audit:read')
  t.equal((await caller('GET /admin/audit-events')).status, 200)
  t.equal((await caller('GET /admin/users')).status, 403)
  for (const scope of ['users:write', 'audit:read users:write', 'admin', 'audit', 'users:*']) {
    t.match((await askToken(service, client, { scope })).body, { error: 'invalid_scope' }, scope)
  }
})

await t.test('introspection needs its own scope, which a client has unless others are named', async (t) => {
  t.equal(await introspect(service, await createClient(service, { name: 'as before' }), 'x'), '{"active":false}')
  const client = await narrow('users:read')
  const answer = await post(service, '/oauth/introspect', { token: person.token }, client)
  t.match([answer.status, answer.body], [403, { error: 'insufficient_scope' }])
  t.equal((await post(service, '/oauth/revoke', { token: await tokenOf(service, client) }, client)).status, 200)
})

await t.test('users:write gives and takes no role', async (t) => {
  const caller = await callerOf(await narrow('users:read', 'users:write'))
  const path = `/admin/users/${String(person.id)}` as const
  for (const flag of ['is_reader', 'is_author', 'is_admin']) {
    for (const value of [true, false]) {
      t.equal((await caller(`PATCH ${path}`, { first_name: 'Eve', [flag]: value })).status, 403, flag)
      const isOfNewUsers = value === (flag === 'is_reader')
      if (isOfNewUsers) continue
      const invitation = { username: 'eve', email: 'eve@example.com', [flag]: value }
      t.equal((await caller('POST /admin/users', invitation)).status, 403, flag)
    }
  }
  const user = (await caller(`GET ${path}`)).body as object
  t.match(user, { first_name: null, is_reader: true, is_author: false, is_admin: false }, 'and nothing else happened')
  t.equal((await sql(service, "select 1 from users where username = 'eve'")).length, 0)

  t.equal((await caller(`PATCH ${path}`, { first_name: 'Ada', is_disabled: true })).status, 200, 'but all else')
  t.equal((await caller(`PATCH ${path}`, { is_disabled: false })).status, 200)
  t.match((await caller('POST /admin/users', { username: 'guest', email: 'guest@example.com' })).body, {
    is_reader: true,
    is_author: false,
    is_admin: false
  })
})

await t.test('users:write leaves administrators alone', async (t) => {
  const caller = await callerOf(await narrow('users:read', 'users:write'))
  const other = await registerAdmin(service)
  const path = `/admin/users/${String(other.id)}` as const
  for (const change of [{ email: 'eve@example.com' }, { first_name: 'Eve' }, { is_disabled: true }, {}]) {
    const answer = await caller(`PATCH ${path}`, change)
    t.match([answer.status, answer.body], [403, { code: 'permission_denied' }], JSON.stringify(change))
  }
  t.equal((await caller(`DELETE ${path}`)).status, 403)
  t.match((await call(service, 'GET /auth/me', { bearer: other.token })).body, { email: other.email })
})

await t.test('clients makes and changes only those that may do no more than the caller', async (t) => {
  const client = await narrow('clients', 'audit:read')
  const caller = await callerOf(client)
  for (const more of [
    { is_admin: true },
    { is_reader: true },
    { scopes: ['users:read'] },
    { scopes: ['audit:read', 'users:write'] },
    {}
  ]) {
    t.equal((await caller('POST /admin/clients', { name: 'more', ...more })).status, 403, JSON.stringify(more))
  }
  const made = await caller('POST /admin/clients', { name: 'less', scopes: ['audit:read'] })
  t.match([made.status, made.body], [201, { scopes: ['audit:read'] }])
  const { id } = made.body as { id: string }
  for (const more of [{ is_author: true }, { is_admin: true }, { scopes: ['audit:read', 'introspect'] }]) {
    t.equal((await caller(`PATCH /admin/clients/${id}`, more)).status, 403, JSON.stringify(more))
  }
  t.equal((await caller(`PATCH /admin/clients/${id}`, { scopes: [] })).status, 200)
  t.equal((await caller(`POST /admin/clients/${id}/secrets`)).status, 201)
  t.equal((await sql(service, "select 1 from clients where name = 'more'")).length, 0)

  const administering = await createClient(service, { isAdmin: true })
  const path = `/admin/clients/${administering.id}` as const
  t.equal((await caller(`POST ${path}/secrets`)).status, 403, 'or it would have a secret of an administrator')
  t.equal((await caller(`PATCH ${path}`, { name: 'x' })).status, 403)
  t.equal((await caller(`DELETE ${path}/secrets/${administering.secretId}`)).status, 403)
  t.equal((await caller(`DELETE ${path}`)).status, 403)

  const less = await callerOf(client, 'clients')
  t.equal((await less('POST /admin/clients', { name: 'x', scopes: ['audit:read'] })).status, 403, 'by its token')
})

await t.test('an administrator gives scopes and takes them, and tokens from before are void', async (t) => {
  const bearer = await logIn(service, admin)
  const json = { name: 'reports', scopes: ['users:read', 'audit:read'] }
  const made = (await call(service, 'POST /admin/clients', { bearer, json })).body as ServiceClient & {
    client_secret: string
  }
  t.match(made, { scopes: ['users:read', 'audit:read'] })
  const client = { id: made.id, secret: made.client_secret }
  const token = await tokenOf(service, client)
  t.equal((await call(service, 'GET /admin/users', { bearer: token })).status, 200)
  const change = (scopes: unknown) => call(service, `PATCH /admin/clients/${made.id}`, { bearer, json: { scopes } })
  t.match((await change(['audit:read', 'introspect'])).body, { scopes: ['audit:read', 'introspect'] })
  t.match((await call(service, 'GET /admin/audit-events', { bearer: token })).body, { code: 'token_revoked' })
  t.equal(await introspect(service, client, token), '{"active":false}', 'and what it may is felt at once')
  const later = await tokenOf(service, client)
  t.equal((await call(service, 'GET /admin/users', { bearer: later })).status, 403)
  t.equal((await change(['audit:read', 'introspect'])).status, 200)
  t.equal((await call(service, 'GET /admin/audit-events', { bearer: later })).status, 200, 'no change voids nothing')
  const [event] = await sql(
    service,
    "select details from audit_events where type = 'client.roles_changed' order by id desc limit 1"
  )
  t.match(event, { details: { granted: ['introspect'], withdrawn: ['users:read'] } })
  for (const wrong of [['admin'], ['users:read', 'users:read'], 'users:read', null, [1], ['']]) {
    t.equal((await change(wrong)).status, 400, JSON.stringify(wrong))
  }
  t.match(await sql(service, "select scopes from clients where name = 'as before'"), [{ scopes: ['introspect'] }])
})
