import Fastify from 'fastify'
import fp from 'fastify-plugin'
import t from 'tap'
import access from '../../plugins/access.ts'
import { call, logIn, registerPerson, type Person } from '../support/client.ts'
import { es256, forge, partsOf, signingKeyOf } from '../support/forge.ts'
import { operationsOf } from '../support/operations.ts'
import { basic, createClient, tokenOf as tokenOfClient } from '../support/service-client.ts'
import { sql, startService } from '../support/service.ts'
import { toColumn } from '../../src/roles.ts'

const service = await startService(t)

const serviceClients = {
  service: await createClient(service),
  administering: await createClient(service, { isAdmin: true })
}

const withRoles = async (...roles: ('author' | 'admin')[]): Promise<Person> => {
  const person = await registerPerson(service, roles.join('-') || 'reader')
  for (const role of roles)
    await service.app.operations.updateUser({ username: person.username }, { [toColumn(role)]: true }, {})
  return { ...person, token: await logIn(service, person) }
}

// User 1, who is named in the paths.
await registerPerson(service)
const people = { reader: await withRoles(), author: await withRoles('author'), admin: await withRoles('admin') }
const refusedTokens = { expired: await expiredToken(), disabled: await disabledToken() }

/** `service` is a service with the role reader, `administering` one with the role admin. */
const callers = ['anonymous', 'reader', 'author', 'admin', 'disabled', 'expired', 'service', 'administering'] as const
type Caller = (typeof callers)[number]
type Expectation = Record<Caller, number>

const anyone = (status: number): Expectation =>
  Object.fromEntries(callers.map((caller) => [caller, status])) as Expectation
/** What a user gets; a service gets it nowhere, as the route is about oneself. */
const users = (status: number, by: Partial<Expectation> = {}): Expectation => ({
  ...{ anonymous: 401, reader: status, author: status, admin: status, disabled: 401, expired: 401 },
  ...{ service: 403, administering: 403 },
  ...by
})
/** What every authenticated caller gets, be it a user or a service. */
const known = (status: number, by: Partial<Expectation> = {}): Expectation =>
  users(status, { service: status, administering: status, ...by })
/** What administrators get; `others` is not 403 where validation, which comes before roles, refuses their call. */
const admins = (status: number, others = 403): Expectation => known(others, { admin: status, administering: status })

/** Who gets what from which operation, called with its path filled in and no body. */
const matrix: Record<string, Expectation> = {
  'POST /auth/registration': anyone(400),
  'POST /auth/login': anyone(400),
  'POST /auth/refresh': anyone(401),
  'POST /auth/logout': anyone(200),
  'POST /auth/reauthenticate': known(400),
  'GET /auth/me': users(200),
  'PATCH /auth/me': known(400),
  'DELETE /auth/me': known(400),
  'GET /auth/me/export': users(200),
  'POST /auth/password': known(400),
  'POST /auth/password/forgot': anyone(400),
  'POST /auth/unlock/request': anyone(400),
  'POST /auth/unlock': anyone(400),
  'POST /auth/password/reset': anyone(400),
  'POST /auth/username': known(400),
  'POST /auth/email/verification': users(202),
  'POST /auth/email/verify': anyone(400),
  'POST /auth/email/disown': anyone(400),
  'POST /auth/email/undo': anyone(400),
  'GET /auth/sessions': users(200),
  'DELETE /auth/sessions': users(204),
  'DELETE /auth/sessions/{id}': users(404),
  'GET /authz': known(204),
  'GET /authz/reader': known(204, { administering: 403 }),
  'GET /authz/author': known(403, { author: 204 }),
  'GET /authz/admin': known(403, { admin: 204, administering: 204 }),
  'GET /admin/users': admins(200),
  // The role is asked for after the body is validated.
  'POST /admin/users': admins(400, 400),
  'GET /admin/users/{id}': admins(200),
  'PATCH /admin/users/{id}': admins(400, 400),
  'DELETE /admin/users/{id}': known(403, { admin: 204, administering: 404 }),
  // Of the user who has just been deleted.
  'GET /admin/users/{id}/sessions': admins(404),
  'DELETE /admin/users/{id}/sessions': admins(404),
  'POST /admin/sessions/revoke': admins(400, 400),
  'GET /admin/audit-events': admins(200),
  'GET /admin/clients': admins(200),
  'POST /admin/clients': admins(400, 400),
  'GET /admin/clients/{id}': admins(404),
  'PATCH /admin/clients/{id}': admins(400, 400),
  'DELETE /admin/clients/{id}': admins(404),
  'POST /admin/clients/{id}/secrets': admins(404),
  'DELETE /admin/clients/{id}/secrets/{secret_id}': admins(404),
  'POST /oauth/token': anyone(401),
  'POST /oauth/introspect': anyone(401),
  'POST /oauth/revoke': anyone(401),
  'GET /.well-known/oauth-authorization-server': anyone(200),
  'GET /.well-known/jwks.json': anyone(200),
  'GET /health/live': anyone(200),
  'GET /health/ready': anyone(200)
}

await t.test('every documented operation answers each caller as the matrix says, and none is left out', async (t) => {
  const operations = await operationsOf(service)
  t.same(operations.map(({ name }) => name).sort(), Object.keys(matrix).sort(), 'the matrix knows every operation')
  for (const { name, request } of operations) {
    for (const caller of callers) {
      const bearer = await tokenOf(caller)
      const answer = await call(service, request, bearer === undefined ? {} : { bearer })
      t.equal(answer.status, matrix[name]?.[caller], `${name} by ${caller}`)
    }
  }
})

/** A token of a session of its own for each call: some operations end the session that asks. */
async function tokenOf(caller: Caller): Promise<string | undefined> {
  if (caller === 'anonymous') return undefined
  if (caller === 'service' || caller === 'administering') return tokenOfClient(service, serviceClients[caller])
  if (caller === 'expired' || caller === 'disabled') return refusedTokens[caller]
  return logIn(service, people[caller])
}

async function expiredToken(): Promise<string> {
  const { key } = signingKeyOf(service)
  const { header, payload } = partsOf((await withRoles()).token)
  const now = Math.floor(Date.now() / 1000)
  return forge(header, { ...payload, iat: now - 1000, exp: now - 100 }, es256(key))
}

async function disabledToken(): Promise<string> {
  const { id, token } = await withRoles()
  const query = 'update users set is_disabled = true, version = version + 1 where id = $1 returning version'
  const [row] = await sql<{ version: number }>(service, query, [id])
  service.app.revocations.remember([{ userId: id, version: row?.version ?? NaN }])
  return token
}

await t.test('a known path by another method is 405 with Allow, once the caller has passed its guard', async (t) => {
  const admin = (await withRoles('admin')).token
  const reader = (await withRoles()).token
  const serviceToken = await tokenOfClient(service, serviceClients.service)
  const paths = new Map<string, { url: string; methods: Set<string>; guarded: boolean }>()
  const pages = ['/verify-email', '/pages/account.js', '/docs', '/docs/', '/docs/docs.js', '/openapi.json']
  for (const page of pages) paths.set(page, { url: page, methods: new Set(['GET']), guarded: false })
  for (const { name, request, guarded } of await operationsOf(service)) {
    const [method = '', path = ''] = name.split(' ')
    const known = paths.get(path) ?? { url: request.split(' ')[1] ?? '', methods: new Set(), guarded }
    paths.set(path, { ...known, methods: known.methods.add(method) })
  }
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']
  for (const [path, { url, methods: known, guarded }] of paths) {
    if (path.startsWith('/authz')) continue
    if (known.has('GET')) known.add('HEAD')
    for (const method of methods.filter((other) => !known.has(other))) {
      const ask = (headers: Record<string, string>) => call(service, `${method} ${url}` as 'GET /', { headers })
      const isOAuth = path.startsWith('/oauth/')
      const stranger = await ask({})
      t.equal(stranger.status, guarded || isOAuth ? 401 : 405, `${method} ${path} by a stranger`)
      if (guarded || isOAuth) t.notOk(stranger.headers.has('allow'), 'who does not learn what the path takes')
      const authorization = isOAuth ? basic(serviceClients.service) : `Bearer ${admin}`
      const answer = await ask({ authorization })
      t.equal(answer.status, 405, `${method} ${path}`)
      t.equal(answer.headers.get('allow'), [...known].sort().join(', '), `Allow of ${path}`)
      t.match(answer.headers.get('content-type'), 'application/problem+json')
      if (method !== 'HEAD') t.match(answer.body, { status: 405, code: 'method_not_allowed' })
      if (!guarded) continue
      const others = path.startsWith('/admin') ? [reader, serviceToken] : [serviceToken]
      for (const other of others) {
        const refused = await ask({ authorization: `Bearer ${other}` })
        t.equal(refused.status, 403, `${method} ${path} by another`)
      }
    }
  }

  await t.test('also with a body that is none of its business, and without a look at it', async (t) => {
    for (const [type, raw] of [
      ['application/json', '{"a":'],
      ['text/plain', 'x'],
      ['application/json', 'x'.repeat(20_000)]
    ]) {
      const options = { bearer: reader, raw: raw!, headers: { 'content-type': type! } }
      t.equal((await call(service, 'PUT /auth/me', options)).status, 405)
      t.equal((await call(service, 'PUT /admin/users', options)).status, 403)
    }
  })

  await t.test('while an unknown path is 404 for every caller', async (t) => {
    for (const path of ['/auth/me/', '/health/live/', '/authz/unknown', '/nothing'] as const) {
      for (const method of ['GET', 'PUT'])
        t.equal((await call(service, `${method} ${path}`, { bearer: admin })).status, 404)
    }
  })
})

await t.test('no spelling of a path and no header leads around a guard', async (t) => {
  const { token } = await withRoles('author')
  const spellings = [
    ...[
      '/authz/../authz/admin',
      '//authz/admin',
      '/authz//admin',
      '/%61uthz/admin',
      '/authz/%61dmin',
      '/authz%2fadmin'
    ],
    ...[
      '/authz/admin/',
      '/authz/admin;x=1',
      '/authz/admin?role=author',
      '/AUTHZ/admin',
      '/authz/ADMIN',
      '/authz/./admin'
    ]
  ] as const
  const overrides: Record<string, string>[] = [
    {},
    { 'x-http-method-override': 'GET' },
    { 'x-original-url': '/authz/author' },
    { 'x-rewrite-url': '/authz/author' },
    { 'x-forwarded-uri': '/authz/author' }
  ]
  for (const path of spellings) {
    for (const headers of overrides) {
      for (const method of ['GET', 'HEAD', 'POST']) {
        const answer = await call(service, `${method} ${path}`, { bearer: token, headers })
        t.ok(
          [403, 404].includes(answer.status),
          `${method} ${path} ${JSON.stringify(headers)}: ${String(answer.status)}`
        )
        const anonymous = await call(service, `${method} ${path}`, { headers })
        t.ok([401, 404].includes(anonymous.status))
      }
    }
  }
})

await t.test('answers hold what is documented, and never a hash or a column of ours', async (t) => {
  const person = await withRoles('author')
  const [row] = await sql<{ password: string }>(service, 'select password from users where id = $1', [person.id])
  for (const { request } of await operationsOf(service)) {
    const { text } = await call(service, request, { bearer: person.token })
    t.notMatch(text, /argon2|password_hash|passwordHash|_key|password_version|sweep_after|refresh_counter/, request)
    t.notOk(text.includes(row?.password ?? 'no hash'), request)
    if (request.startsWith('DELETE /auth/sessions ') || request.includes('logout'))
      person.token = await logIn(service, person)
  }
})

await t.test('a route that does not say who may call it keeps the service from starting', async (t) => {
  const app = Fastify()
  for (const name of ['client-credentials', 'cookies', 'cross-origin', 'denials', 'jwt', 'revocations'])
    await app.register(fp(async () => undefined, { name }))
  await app.register(access)
  await t.rejects(
    async () => {
      app.get('/forgotten', () => 'open')
      await app.ready()
    },
    { message: 'The route GET /forgotten does not declare who may call it' }
  )
})
