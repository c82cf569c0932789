import t from 'tap'
import { call, cookiesOf } from '../../support/client.ts'
import { kinds, startService } from '../../support/service.ts'

const alice = { username: 'alice', email: 'alice@example.com', password: 'a long and quiet evening' }

for (const kind of kinds) {
  await t.test(`the tutorial's walk, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)

    const registered = await call(service, 'POST /auth/registration', { json: alice })
    t.equal(registered.status, 201)
    t.same(registered.body, { message: 'User created successfully' })

    const again = await call(service, 'POST /auth/registration', { json: { ...alice, username: 'ALICE' } })
    t.equal(again.status, 409)
    t.match(again.body, { code: 'username_taken', detail: 'User with this username already registered' })

    const loggedIn = await call(service, 'POST /auth/login', { json: { username: 'alice', password: alice.password } })
    t.equal(loggedIn.status, 200)
    t.match(loggedIn.body, { access_token: /^ey/, token_type: 'Bearer', expires_in: 900 })
    t.match(loggedIn.cookies[0], /^access_token=ey.*; Max-Age=900; Path=\/; HttpOnly; Secure; SameSite=Lax$/)

    const cookie = cookiesOf(loggedIn)
    const me = await call(service, 'GET /auth/me', { cookie })
    t.equal(me.status, 200)
    t.match(me.body, { username: 'alice', first_name: null, is_reader: true, is_author: false, is_admin: false })

    t.equal((await call(service, 'GET /authz/reader', { cookie })).status, 204)
    const author = await call(service, 'GET /authz/author', { cookie })
    t.equal(author.status, 403)
    t.match(author.body, { detail: 'You do not have permission to perform this operation' })

    const loggedOut = await call(service, 'POST /auth/logout', { cookie })
    t.equal(loggedOut.status, 200)
    t.same(loggedOut.body, { message: 'Logged out successfully' })
    t.match(loggedOut.cookies[0], /^access_token=; Max-Age=0; Path=\/; Expires=.*; HttpOnly; Secure; SameSite=Lax$/)

    const after = await call(service, 'GET /auth/me', { cookie })
    t.equal(after.status, 401)
    t.match(after.body, { code: 'token_revoked' })
  })
}
