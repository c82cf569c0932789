import t from 'tap'
import { call, logIn, registerPerson, startSession } from '../support/client.ts'
import { startMailServer, tokenIn } from '../support/mail-server.ts'
import { kinds, sql, startService } from '../support/service.ts'

const newPassword = 'another quiet evening'

for (const kind of kinds) {
  await t.test(`the links that are mailed do what they say, once, on ${kind}`, async (t) => {
    const mail = await startMailServer(t)
    const service = await startService(t, mail.env, kind)
    const person = await registerPerson(service)
    const bearer = person.token

    await t.test('a registration mails a link that verifies the address', async (t) => {
      const token = tokenIn(await mail.mailTo(t, person.email))
      const verify = () => call(service, 'POST /auth/email/verify', { json: { token } })
      t.match((await call(service, 'GET /auth/me', { bearer })).body, { email_verified: false })
      t.match(await verify(), { status: 204, text: '' })
      t.match((await call(service, 'GET /auth/me', { bearer })).body, { email_verified: true })
      t.match(await verify(), { status: 400, body: { code: 'validation_failed', errors: [{ path: '/body/token' }] } })
    })

    await t.test('another address is mailed a link, and the present one is told', async (t) => {
      const email = `new-${person.email}`
      const changed = await call(service, 'PATCH /auth/me', { bearer, json: { email } })
      t.match(changed.body, { email: person.email, email_verified: true, pending_email: email })
      const token = tokenIn(await mail.mailTo(t, email))
      const notice = await mail.mailTo(t, person.email, 2)
      t.equal(notice.subject, 'Your e-mail address is about to change')
      t.notMatch(notice.text, email)
      t.equal((await call(service, 'POST /auth/email/verify', { json: { token } })).status, 204)
      const again = await call(service, 'PATCH /auth/me', { bearer, json: { email: email.toUpperCase() } })
      t.match(
        again.body,
        { email: email.toUpperCase(), email_verified: true, pending_email: null },
        'the same address in other letters is the same'
      )
      await call(service, 'PATCH /auth/me', { bearer, json: { email: person.email } })
    })

    await t.test('the link comes again when it is asked for, and the one before it is void', async (t) => {
      const first = tokenIn(await mail.mailTo(t, person.email, 3))
      t.match(await call(service, 'POST /auth/email/verification', { bearer }), { status: 202, text: '' })
      const second = tokenIn(await mail.mailTo(t, person.email, 4))
      t.not(second, first)
      t.equal((await call(service, 'POST /auth/email/verify', { json: { token: first } })).status, 400)
      t.equal((await call(service, 'POST /auth/email/verify', { json: { token: second } })).status, 204)
      t.match((await call(service, 'GET /auth/me', { bearer })).body, { email: person.email, email_verified: true })
      t.equal((await call(service, 'POST /auth/email/verification', { bearer })).status, 202)
    })

    await t.test('a forgotten password is replaced by a link, and every session ends', async (t) => {
      const session = await startSession(service, person)
      const forgotten = await call(service, 'POST /auth/password/forgot', {
        json: { email: person.email.toUpperCase() }
      })
      t.match(forgotten, { status: 202, text: '' })
      const token = tokenIn(await mail.mailTo(t, person.email, 5))
      const reset = (new_password: string) =>
        call(service, 'POST /auth/password/reset', { json: { token, new_password } })
      t.match((await reset('password')).body, { errors: [{ path: '/body/new_password' }] })
      t.match((await reset(person.username + '!')).body, { errors: [{ path: '/body/new_password' }] })
      t.match(await reset(newPassword), { status: 204, text: '' }, 'a password that was refused has not used it up')
      t.match(await reset(newPassword), { status: 400, body: { errors: [{ path: '/body/token' }] } })
      for (const token of [bearer, session.access_token]) {
        t.match((await call(service, 'GET /authz', { bearer: token })).body, { code: 'token_revoked' })
      }
      const { refresh_token } = session
      t.equal((await call(service, 'POST /auth/refresh', { json: { refresh_token } })).status, 401)
      await t.rejects(logIn(service, person), /401/, 'the password from before is none')
      person.password = newPassword
      person.token = await logIn(service, person)
      t.equal((await mail.mailTo(t, person.email, 6)).subject, 'Your password was changed')
    })

    await t.test('a changed password is told by mail, and makes a link to set one void', async (t) => {
      await call(service, 'POST /auth/password/forgot', { json: { email: person.email } })
      const token = tokenIn(await mail.mailTo(t, person.email, 7))
      const json = { current_password: person.password, new_password: 'a third and quiet evening' }
      t.equal((await call(service, 'POST /auth/password', { bearer: person.token, json })).status, 200)
      t.equal((await mail.mailTo(t, person.email, 8)).subject, 'Your password was changed')
      const reset = await call(service, 'POST /auth/password/reset', { json: { token, new_password: newPassword } })
      t.match(reset.body, { errors: [{ path: '/body/token' }] })
    })
  })
}

await t.test('a link is bound to its purpose, its address, its hour and the keys', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const person = await registerPerson(service)
  const verification = tokenIn(await mail.mailTo(t, person.email))
  const reset = async (token: string) => {
    const json = { token, new_password: newPassword }
    return (await call(service, 'POST /auth/password/reset', { json })).status
  }
  const verify = async (token: string) => (await call(service, 'POST /auth/email/verify', { json: { token } })).status
  let count = 1
  const forgotten = async () => {
    await call(service, 'POST /auth/password/forgot', { json: { email: person.email } })
    return tokenIn(await mail.mailTo(t, person.email, ++count))
  }

  t.equal(await reset(verification), 400, 'a link to verify sets no password')
  const first = await forgotten()
  t.equal(await verify(first), 400, 'and one to set a password verifies nothing by itself')
  const second = await forgotten()
  t.equal(await reset(first), 400, 'a newer one makes it void')

  for (const position of [0, 3, 8, 30, 69]) {
    const other = second[position] === 'A' ? 'B' : 'A'
    t.equal(
      await reset(second.slice(0, position) + other + second.slice(position + 1)),
      400,
      `mangled at ${String(position)}`
    )
  }
  for (const token of ['', 'x', `${second}x`, `${second}=`, 'x'.repeat(300), '\0']) t.equal(await reset(token), 400)

  await sql(service, "update account_tokens set expires_at = now() where purpose = 'password_reset'")
  t.equal(await reset(second), 400, 'by the clock of the database')
  const third = await forgotten()
  await sql(service, "update users set email = 'x@example.com', email_key = 'x@example.com' where id = $1", [person.id])
  t.equal(await reset(third), 400, 'for an address that is no longer theirs')
  await sql(service, 'update users set email = $1, email_key = $1 where id = $2', [person.email, person.id])
  await sql(service, 'update users set password_version = password_version + 1 where id = $1', [person.id])
  t.equal(await reset(third), 400, 'for another password than the one that was forgotten')
  await sql(service, 'update users set password_version = password_version - 1 where id = $1', [person.id])
  await sql(service, 'update users set is_disabled = true where id = $1', [person.id])
  t.equal(await reset(third), 400, 'nor for who was disabled')
  await sql(service, 'update users set is_disabled = false where id = $1', [person.id])

  const rows = await sql<{ id: string }>(service, 'select id from account_tokens where purpose = $1', [
    'password_reset'
  ])
  t.equal(rows.length, 1, 'one link a purpose is kept')
  t.equal(await reset(rows[0]!.id), 400, 'the row is no token')

  const attempts = await Promise.all(Array.from({ length: 8 }, () => reset(third)))
  t.same(attempts.sort(), [204, ...Array.from({ length: 7 }, () => 400)], 'of many that use it at once, one can')
  t.match((await sql(service, 'select * from account_tokens')).length, 0, 'nothing of the user is left to be used')
})

await t.test('who was invited has no password, and is invited again when it is forgotten', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const [user] = await sql<{ id: number }>(
    service,
    `insert into users (username, username_key, email, email_key) values ('Guest', 'guest', 'guest@example.com', 'guest@example.com') returning id`
  )
  await call(service, 'POST /auth/password/forgot', { json: { email: 'guest@example.com' } })
  const invitation = await mail.mailTo(t, 'guest@example.com')
  t.equal(invitation.subject, 'You are invited to gatehouse.test')
  const json = { token: tokenIn(invitation), new_password: newPassword }
  t.equal((await call(service, 'POST /auth/password/reset', { json })).status, 204)
  const bearer = await logIn(service, { username: 'guest', password: newPassword })
  t.match((await call(service, 'GET /auth/me', { bearer })).body, { id: user!.id, email_verified: true })
})

await t.test('every step leaves its event', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const person = await registerPerson(service)
  await call(service, 'POST /auth/email/verification', { bearer: person.token })
  const verification = tokenIn(await mail.mailTo(t, person.email, 2))
  await call(service, 'POST /auth/email/verify', { json: { token: verification } })
  await call(service, 'POST /auth/password/forgot', { json: { email: person.email } })
  await call(service, 'POST /auth/password/forgot', { json: { email: 'nobody@example.com' } })
  const token = tokenIn(await mail.mailTo(t, person.email, 3))
  await call(service, 'POST /auth/password/reset', { json: { token, new_password: newPassword } })
  const events = await sql(
    service,
    "select type, user_id, ip from audit_events where type like 'user.%' order by id offset 2"
  )
  const ip = '127.0.0.1'
  t.same(events, [
    { type: 'user.email_verification_requested', user_id: person.id, ip },
    { type: 'user.email_verified', user_id: person.id, ip },
    { type: 'user.password_reset_requested', user_id: person.id, ip },
    { type: 'user.password_reset_requested', user_id: null, ip },
    { type: 'user.password_reset', user_id: person.id, ip }
  ])
})
