import { inspect } from 'node:util'
import {
  createGatehouse,
  createServiceClient,
  createServiceToken,
  type Gatehouse,
  memoryStore,
  type ServiceTokenError
} from 'gatehouse-auth-client'
import t, { type Test } from 'tap'
import { call, registerPerson, startSession } from '../support/client.ts'
import { es256, forge, partsOf, signingKeyOf } from '../support/forge.ts'
import { startMailServer, tokenIn } from '../support/mail-server.ts'
import { sql, startService } from '../support/service.ts'

const alice = { username: 'alice', password: 'a long and quiet evening' }
const parallel = Array.from({ length: 50 })
const service = await startService(t)

await t.test("the tutorial's walk by the generated client", async (t) => {
  const gatehouse = createGatehouse({ baseUrl: service.url })

  const registered = await gatehouse.POST('/auth/registration', { body: { ...alice, email: 'alice@example.com' } })
  t.equal(registered.response.status, 201)
  t.equal(registered.data?.message, 'User created successfully')
  const again = await gatehouse.POST('/auth/registration', { body: { ...alice, email: 'alice@example.com' } })
  t.equal(again.error?.code, 'username_taken')

  t.equal((await gatehouse.GET('/auth/me')).error?.code, 'not_authenticated')
  t.equal((await gatehouse.logIn({ ...alice, password: 'another evening' })).error?.code, 'invalid_credentials')
  t.equal((await gatehouse.logIn(alice)).data?.token_type, 'Bearer')
  const me = await gatehouse.GET('/auth/me')
  t.match(me.data, { username: 'alice', first_name: null, is_reader: true, is_author: false })
  const changed = await gatehouse.PATCH('/auth/me', { body: { first_name: 'Alice' } })
  t.equal(changed.data?.first_name, 'Alice')
  t.equal((await gatehouse.GET('/authz/reader')).response.status, 204)
  t.equal((await gatehouse.GET('/authz/author')).error?.code, 'permission_denied')

  const sessions = await gatehouse.GET('/auth/sessions')
  const [session] = sessions.data?.items ?? []
  t.equal(session?.current, true)
  const unknown = await gatehouse.DELETE('/auth/sessions/{id}', { params: { path: { id: crypto.randomUUID() } } })
  t.equal(unknown.error?.code, 'not_found')

  t.equal((await gatehouse.logOut()).data?.message, 'Logged out successfully')
  t.equal((await gatehouse.GET('/auth/me')).error?.code, 'not_authenticated', 'the client has forgotten the tokens')
})

await t.test('administration by the generated client', async (t) => {
  const mail = await startMailServer(t)
  const managed = await startService(t, mail.env)
  const root = await registerPerson(managed, 'root')
  await managed.app.operations.updateUser({ username: root.username }, { isAdmin: true }, {})
  const gatehouse = createGatehouse({ baseUrl: managed.url })
  await gatehouse.logIn(root)

  const bob = { username: 'bob', email: 'bob@example.com' }
  const invited = await gatehouse.POST('/admin/users', { body: { ...bob, is_author: true } })
  t.match(invited.data, { ...bob, is_reader: true, is_author: true, is_disabled: false, last_login_at: null })
  const path = { id: invited.data?.id ?? 0 }
  const token = tokenIn(await mail.mailTo(t, bob.email))
  const reset = await gatehouse.POST('/auth/password/reset', { body: { token, new_password: alice.password } })
  t.equal(reset.response.status, 204)
  const asBob = createGatehouse({ baseUrl: managed.url })
  t.equal((await asBob.logIn({ username: 'bob', password: alice.password })).response.status, 200)
  t.equal((await asBob.GET('/admin/users')).error?.code, 'permission_denied')

  const listed = await gatehouse.GET('/admin/users', { params: { query: { q: 'bo', role: 'author', limit: 1 } } })
  t.same(listed.data?.items, [(await gatehouse.GET('/admin/users/{id}', { params: { path } })).data])
  t.equal(listed.data?.next_cursor, null)
  const sessions = await gatehouse.GET('/admin/users/{id}/sessions', { params: { path } })
  t.equal(sessions.data?.items.length, 1)
  const counted = await gatehouse.POST('/admin/sessions/revoke', { body: { user_ids: [path.id], dry_run: true } })
  t.equal(counted.data?.revoked, 1)
  const changed = await gatehouse.PATCH('/admin/users/{id}', { params: { path }, body: { is_disabled: true } })
  t.equal(changed.data?.is_disabled, true)
  t.equal((await asBob.GET('/auth/me')).error?.status, 401)
  const events = await gatehouse.GET('/admin/audit-events', { params: { query: { user_id: path.id, limit: 2 } } })
  t.same(
    events.data?.items.map(({ type, actor_id }) => [type, actor_id]),
    [
      ['user.disabled', root.id],
      ['access.denied', path.id]
    ]
  )
  t.equal((await gatehouse.DELETE('/admin/users/{id}', { params: { path } })).response.status, 204)
  const last = await gatehouse.DELETE('/admin/users/{id}', { params: { path: { id: root.id } } })
  t.equal(last.error?.code, 'last_admin')
})

await t.test('a wrong field, path or type does not compile', async (t) => {
  const wrong = (gatehouse: Gatehouse) => [
    // @ts-expect-error no such field in the body
    gatehouse.POST('/auth/registration', { body: { ...alice, mail: 'alice@example.com' } }),
    // @ts-expect-error a field is missing
    gatehouse.POST('/auth/registration', { body: alice }),
    // @ts-expect-error no such path
    gatehouse.GET('/auth/you'),
    // @ts-expect-error no such method of this path
    gatehouse.GET('/auth/login'),
    // @ts-expect-error the parameter is missing
    gatehouse.DELETE('/auth/sessions/{id}'),
    // @ts-expect-error no such field in the answer
    gatehouse.GET('/auth/me').then(({ data }) => String(data?.first_nam)),
    // @ts-expect-error it may be null
    gatehouse.GET('/auth/me').then(({ data }) => data?.first_name.length),
    // @ts-expect-error no such code
    gatehouse.GET('/auth/me').then(({ error }) => error?.code === 'token_stale')
  ]
  t.type(wrong, 'function', 'tsc has seen what must not compile')
})

await t.test('50 parallel calls with an expired access token cost one refresh', async (t) => {
  const { gatehouse, refreshes } = await expired(t)
  const answers = await Promise.all(parallel.map(() => gatehouse.GET('/authz/reader')))
  t.same(new Set(answers.map(({ response }) => response.status)), new Set([204]))
  t.equal(refreshes(), 1)
  t.equal((await gatehouse.GET('/auth/me')).response.status, 200)
  t.equal(refreshes(), 1, 'the new tokens are kept')
})

await t.test('a body goes out again after the refresh', async (t) => {
  const { gatehouse, refreshes } = await expired(t)
  const names = ['Alice', 'Bob', 'Carol']
  const answers = await Promise.all(names.map((first_name) => gatehouse.PATCH('/auth/me', { body: { first_name } })))
  t.same(
    answers.map(({ data }) => data?.first_name),
    names
  )
  t.equal(refreshes(), 1)
})

await t.test('an access token that is revoked while its session lives is renewed, too', async (t) => {
  const { gatehouse, person, refreshes } = await signedIn()
  t.equal((await gatehouse.GET('/authz/author')).response.status, 403)
  await service.app.operations.updateUser({ username: person.username }, { isAuthor: true }, {})
  t.equal((await gatehouse.GET('/authz/author')).response.status, 204)
  t.equal(refreshes(), 1)
})

await t.test('a session that has ended is told of once, and left alone', async (t) => {
  const { gatehouse, person, store, refreshes, goodbyes } = await expired(t)
  await sql(service, 'delete from sessions where user_id = $1', [person.id])
  const answers = await Promise.all(parallel.map(() => gatehouse.GET('/authz/reader')))
  t.same(new Set(answers.map(({ error }) => error?.code)), new Set(['token_expired']))
  t.equal(refreshes(), 1)
  t.equal(goodbyes(), 1)
  t.equal(await store.load(), undefined, 'the tokens are gone')
  t.equal((await gatehouse.GET('/auth/me')).error?.code, 'not_authenticated')
  t.equal(refreshes(), 1, 'without tokens there is nothing to refresh')
  t.equal(goodbyes(), 1)
})

await t.test('a service that cannot say whether the session lives ends none', async (t) => {
  const { gatehouse, store, goodbyes, interrupt } = await expired(t)
  const tokens = await store.load()
  interrupt(new Response('{"code":"unavailable"}', { status: 503 }))
  const answers = await Promise.all(parallel.map(() => gatehouse.GET('/authz/reader')))
  t.same(new Set(answers.map(({ error }) => error?.code)), new Set(['unavailable']), 'the caller sees why')
  t.equal(goodbyes(), 0)
  t.equal(await store.load(), tokens)
  interrupt(undefined)
  t.equal((await gatehouse.GET('/auth/me')).response.status, 200)
})

await t.test('what no refresh puts right is not refreshed', async (t) => {
  const { gatehouse, refreshes, person } = await signedIn()
  const body = { current_password: 'not the one', new_password: 'another long evening' }
  t.equal((await gatehouse.POST('/auth/password', { body })).error?.code, 'invalid_credentials')
  t.equal((await gatehouse.POST('/auth/refresh', { body: { refresh_token: 'none' } })).response.status, 401)
  t.equal((await gatehouse.GET('/authz/admin')).response.status, 403)
  t.equal((await gatehouse.logIn({ username: person.username, password: 'wrong' })).response.status, 401)
  t.equal(refreshes(), 1, 'the one that was asked for')
})

await t.test('what one user sent is not sent again as the next', async (t) => {
  const { gatehouse, hold } = await expired(t)
  const other = await registerPerson(service)
  const release = hold()
  const late = gatehouse.GET('/auth/me')
  t.equal((await gatehouse.logIn(other)).response.status, 200)
  release()
  t.equal((await late).error?.code, 'token_expired')
  t.equal((await gatehouse.GET('/auth/me')).data?.username, other.username)
})

await t.test('logging out ends the session although the access token has expired', async (t) => {
  const { gatehouse, person, goodbyes } = await expired(t)
  t.equal((await gatehouse.logOut()).response.status, 200)
  const left = await sql(service, 'select id from sessions where user_id = $1', [person.id])
  t.equal(left.length, 1, 'only the session of the registration is left')
  t.equal(goodbyes(), 0, 'nobody has to be told')
})

await t.test('by cookie, 50 parallel calls without an access token cost one refresh', async (t) => {
  const person = await registerPerson(service)
  const browser = cookieJar()
  let goodbyes = 0
  const gatehouse = createGatehouse({
    baseUrl: service.url,
    transport: 'cookie',
    fetch: browser.fetch,
    onSignedOut: () => (goodbyes += 1)
  })
  const { data } = await gatehouse.logIn(person)
  t.equal(data?.refresh_token, undefined, 'scripts do not see the refresh token')

  browser.jar.delete('access_token')
  const answers = await Promise.all(parallel.map(() => gatehouse.GET('/authz/reader')))
  t.same(new Set(answers.map(({ response }) => response.status)), new Set([204]))
  t.equal(browser.calls('/auth/refresh'), 1)

  browser.jar.delete('access_token')
  await sql(service, 'delete from sessions where user_id = $1', [person.id])
  const refused = await Promise.all(parallel.map(() => gatehouse.GET('/authz/reader')))
  t.same(new Set(refused.map(({ error }) => error?.code)), new Set(['not_authenticated']))
  t.equal(browser.calls('/auth/refresh'), 2)
  t.equal(goodbyes, 1)

  t.equal((await gatehouse.GET('/auth/me')).response.status, 401)
  t.equal(goodbyes, 1, 'once is enough')
  t.equal((await gatehouse.logIn(person)).response.status, 200)
  t.equal((await gatehouse.GET('/auth/me')).response.status, 200)
})

await t.test('a service asks for a token once, keeps it, and asks anew when it is revoked', async (t) => {
  const { credentials, revoke } = await serviceAccount()
  const counted = counting('/oauth/token')
  const account = createServiceClient({ ...credentials, fetch: counted.fetch })
  const answers = await Promise.all(parallel.map(() => account.GET('/authz/author')))
  t.same(new Set(answers.map(({ response }) => response.status)), new Set([204]))
  t.equal(counted.calls(), 1)

  const before = await account.token.get()
  await revoke(before)
  const again = await Promise.all(parallel.map(() => account.GET('/authz/author')))
  t.same(new Set(again.map(({ response }) => response.status)), new Set([204]))
  t.equal(counted.calls(), 2)
  t.not(await account.token.get(), before)

  t.equal((await account.GET('/auth/me')).error?.code, 'permission_denied', 'a service is nobody')
  t.equal((await account.GET('/authz/reader')).response.status, 403)
  t.equal(counted.calls(), 2, 'a missing role is no reason for a new token')
})

await t.test('a service that is refused a token is told why, without its secret', async (t) => {
  const { credentials } = await serviceAccount()
  const clientSecret = 'a-secret-that-is-none'
  const account = createServiceClient({ ...credentials, clientSecret })
  const error = await account.GET('/authz/author').then(
    () => undefined,
    (thrown: unknown) => thrown as ServiceTokenError
  )
  t.match(error, { name: 'ServiceTokenError', status: 401, code: 'invalid_client' })
  t.notMatch(inspect([error, account], { depth: 9, showHidden: true }), clientSecret)
  t.notMatch(inspect(error), Buffer.from(clientSecret).toString('base64'))

  const tooMuch = createServiceToken({ ...credentials, scope: 'admin' })
  await t.rejects(tooMuch.get(), { code: 'invalid_scope' })
})

/** A service that is an author, made by an administrator through the generated client. */
async function serviceAccount() {
  const person = await registerPerson(service)
  await service.app.operations.updateUser({ username: person.username }, { isAdmin: true }, {})
  const admin = createGatehouse({ baseUrl: service.url })
  await admin.logIn(person)
  const { data } = await admin.POST('/admin/clients', { body: { name: 'articles', is_author: true } })
  const credentials = { baseUrl: service.url, clientId: data!.id, clientSecret: data!.client_secret }
  const { clientId: client_id, clientSecret: client_secret } = credentials
  return {
    credentials,
    revoke: (token: string) =>
      admin.POST('/oauth/revoke', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: { token, client_id, client_secret }
      })
  }
}

/** `fetch`, and how often it was called for a path. */
function counting(path: string) {
  let calls = 0
  return {
    calls: () => calls,
    fetch: (...[input, init]: Parameters<typeof fetch>) => {
      const request = new Request(input, init)
      if (new URL(request.url).pathname === path) calls += 1
      return fetch(request)
    }
  }
}

/** A client with a session, and what its service hears of it. */
async function signedIn() {
  const person = await registerPerson(service)
  const tokens = await startSession(service, person)
  const store = memoryStore({ ...tokens, token_type: 'Bearer' })
  let refreshes = 0
  let goodbyes = 0
  let answerInstead: Response | undefined
  let held: Promise<void> | undefined
  const gatehouse = createGatehouse({
    baseUrl: service.url,
    store,
    onSignedOut: () => (goodbyes += 1),
    async fetch(input, init) {
      const request = new Request(input, init)
      const waits = held
      held = undefined
      if (new URL(request.url).pathname === '/auth/refresh') {
        refreshes += 1
        if (answerInstead !== undefined) return answerInstead.clone()
      }
      const answer = await fetch(request)
      await waits
      return answer
    }
  })
  return {
    person,
    store,
    gatehouse,
    refreshes: () => refreshes,
    goodbyes: () => goodbyes,
    /** Answers refreshes itself. */
    interrupt: (answer: Response | undefined) => {
      answerInstead = answer
    },
    /** Keeps the answer of the next request back until it is released. */
    hold: () => {
      let release: () => void = () => undefined
      held = new Promise((resolve) => (release = resolve))
      return release
    }
  }
}

/** The same with an access token that is past its time: of the service's own making, but for that. */
async function expired(t: Test) {
  const client = await signedIn()
  const tokens = (await client.store.load())!
  const { header, payload } = partsOf(tokens.access_token)
  const past = { ...payload, iat: Number(payload.iat) - 7200, exp: Number(payload.exp) - 7200 }
  const access_token = forge(header, past, es256(signingKeyOf(service).key))
  const answer = await call(service, 'GET /auth/me', { bearer: access_token })
  t.equal((answer.body as { code: string }).code, 'token_expired')
  await client.store.save({ ...tokens, access_token })
  return client
}

/** `fetch` with the cookies of one origin, as a browser keeps them. */
function cookieJar() {
  const jar = new Map<string, string>()
  const paths: string[] = []
  return {
    jar,
    calls: (path: string) => paths.filter((called) => called === path).length,
    fetch: async (...[input, init]: Parameters<typeof fetch>) => {
      const request = new Request(input, init)
      const { pathname } = new URL(request.url)
      paths.push(pathname)
      const pairs = [...jar].filter(([name]) => name !== 'refresh_token' || pathname.startsWith('/auth'))
      if (request.credentials === 'include')
        request.headers.set('cookie', pairs.map((pair) => pair.join('=')).join('; '))
      const answer = await fetch(request)
      for (const line of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (value === '') jar.delete(name)
        else jar.set(name, value)
      }
      return answer
    }
  }
}
