import t from 'tap'
import { type Answer, call, logIn, registerPerson } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startMailServer, tokenIn } from '../support/mail-server.ts'
import { sql, startService } from '../support/service.ts'

const password = 'a long and quiet evening'

/** What an observer sees of an answer, without what differs between any two. */
function seen(answer: Answer): object {
  const { 'x-request-id': id = '', date, ...headers } = Object.fromEntries(answer.headers)
  return { status: answer.status, headers, dated: date !== undefined, body: answer.text.replaceAll(id, 'ID') }
}

await t.test('with REQUIRE_VERIFIED_EMAIL=on', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, { ...mail.env, REQUIRE_VERIFIED_EMAIL: 'on' })
  const register = (username: string, email: string) =>
    call(service, 'POST /auth/registration', { json: { username, email, password } })
  const login = (username: string, typed = password) =>
    call(service, 'POST /auth/login', { json: { username, password: typed } })

  await t.test(
    'nobody logs in before they have followed the link, and the refusal is that of a wrong password',
    async (t) => {
      t.equal((await register('alice', 'alice@example.com')).status, 201)
      const first = tokenIn(await mail.mailTo(t, 'alice@example.com'))
      t.same(seen(await login('alice')), seen(await login('alice', 'not the password')))
      t.equal((await login('alice')).status, 401)
      t.equal((await call(service, 'POST /auth/email/verify', { json: { token: first } })).status, 204)
      t.equal((await login('alice')).status, 200)
      t.equal(mail.mailsTo('alice@example.com').length, 1, 'the link that came a moment ago is not sent again')
    }
  )

  await t.test('the right password, and only that, brings the link again after a while', async (t) => {
    await register('bob', 'bob@example.com')
    await mail.mailTo(t, 'bob@example.com')
    await sql(service, "update account_tokens set created_at = now() - interval '6 minutes'")
    await login('bob', 'not the password')
    for (let n = 0; n < 5; n++) await login('bob')
    const token = tokenIn(await mail.mailTo(t, 'bob@example.com', 2))
    await eventually(
      t,
      'all that was asked for is answered',
      async () => (await sql(service, 'select 1 from jobs')).length === 0
    )
    t.equal(mail.mailsTo('bob@example.com').length, 2, 'and not with each attempt')
    t.equal((await call(service, 'POST /auth/email/verify', { json: { token } })).status, 204)
  })

  await t.test('a registration with a known address looks like any other, and its owner is told', async (t) => {
    const before = await sql(service, 'select * from users order by id')
    const known = await register('carol', 'Alice@Example.com')
    t.same(await sql(service, 'select * from users order by id'), before, 'nothing has changed for its owner')
    t.same(seen(known), seen(await register('dave', 'dave@example.com')))
    const notice = await mail.mailTo(t, 'alice@example.com', 2)
    t.equal(notice.subject, 'You have an account at gatehouse.test')
    t.match(notice.text, 'with the username “alice”.')
    t.equal(tokenIn(notice), '')
    t.match((await register('ALICE', 'alice@example.com')).body, { code: 'username_taken' })
    t.match((await register('alice', 'new@example.com')).body, { code: 'username_taken' })
    t.equal((await login('carol')).status, 401)
  })

  await t.test('a known address costs the statements of a new one', async (t) => {
    const { db } = service.app.database
    const transaction = t.capture(db, 'transaction', db.transaction.bind(db))
    await register('olivia', 'alice@example.com')
    await register('erin', 'erin@example.com')
    const calls = transaction().map(({ at }) => at?.fileName)
    // The job worker has some of its own, whenever it comes to it.
    t.equal(
      calls.filter((file) => file?.endsWith('src/operations/register.ts')).length,
      2,
      `one transaction each: ${calls.join()}`
    )
  })

  await t.test(
    'a username that was asked for with a known address is taken from then on, as with a new one',
    async (t) => {
      const outcomes = []
      for (const [name, email] of [
        ['grace', 'alice@example.com'],
        ['heidi', 'heidi@example.com']
      ] as const) {
        const answers = [
          await register(name, email),
          await register(name, email),
          await register(name.toUpperCase(), `fresh-${email}`),
          await login(name, 'not the password'),
          await login(name)
        ]
        outcomes.push(answers.map(seen))
        t.match(answers, [{ status: 201 }, { body: { code: 'username_taken' } }, { body: { code: 'username_taken' } }])
      }
      t.same(outcomes[0], outcomes[1])
      const bearer = await logIn(service, { username: 'alice', password })
      for (const username of ['grace', 'heidi']) {
        const changed = await call(service, 'POST /auth/username', { bearer, json: { username } })
        t.match(changed, { status: 409, body: { code: 'username_taken' } }, 'nor does a change of the username tell')
      }
      await sql(service, "update rate_limits set expire = expire - interval '30 days' where key like 'held:%'")
      t.equal((await register('grace', 'grace@example.com')).status, 201, 'until then')
    }
  )

  await t.test('a password that was set by mail verifies the address, too', async (t) => {
    await register('frank', 'frank@example.com')
    await mail.mailTo(t, 'frank@example.com')
    await call(service, 'POST /auth/password/forgot', { json: { email: 'frank@example.com' } })
    const token = tokenIn(await mail.mailTo(t, 'frank@example.com', 2))
    await call(service, 'POST /auth/password/reset', { json: { token, new_password: 'another quiet evening' } })
    t.ok(await logIn(service, { username: 'frank', password: 'another quiet evening' }))
  })

  await t.test('a user created by an operator may log in: the operator vouches for the address', async (t) => {
    await service.app.operations.createUser({ username: 'root', email: 'root@example.com', password }, {}, ['admin'])
    t.equal((await login('root')).status, 200)
    t.same(mail.mailsTo('root@example.com'), [])
  })
})

await t.test('with REQUIRE_VERIFIED_EMAIL=off a registration says that the address is taken', async (t) => {
  const service = await startService(t)
  const { email } = await registerPerson(service)
  const answer = await call(service, 'POST /auth/registration', { json: { username: 'other', email, password } })
  t.match(answer, { status: 409, body: { code: 'email_taken' } })
})

await t.test('a forgotten password answers alike whether the address is known or not', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const [known, disabled] = [await registerPerson(service), await registerPerson(service)]
  await mail.mailTo(t, known.email)
  await mail.mailTo(t, disabled.email)
  await sql(service, 'update users set is_disabled = true where id = $1', [disabled.id])
  const { db } = service.app.database
  const forget = (email: string) => call(service, 'POST /auth/password/forgot', { json: { email } })
  const answers = [await forget('nobody@example.com'), await forget(known.email), await forget(disabled.email)]
  t.match(answers[0], { status: 202, text: '' })
  for (const answer of answers) t.same(seen(answer), seen(answers[0]!))
  await mail.mailTo(t, known.email, 2)
  await eventually(t, 'all is answered', async () => (await db.query.jobs.findMany()).length === 0)
  t.equal(mail.mailsTo(disabled.email).length, 1, 'who was disabled gets nothing')
  t.same(mail.mailsTo('nobody@example.com'), [])
})

await t.test('a copy of the database holds no link, and nothing that one can be made of', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const person = await registerPerson(service)
  await call(service, 'POST /auth/password/forgot', { json: { email: person.email } })
  const tokens = [tokenIn(await mail.mailTo(t, person.email)), tokenIn(await mail.mailTo(t, person.email, 2))]
  await mail.stop()
  await call(service, 'POST /auth/email/verification', { bearer: person.token })
  const [row] = await sql<{ dump: string }>(service, `select schema_to_xml('public', true, false, '')::text as dump`)
  const dump = row?.dump ?? ''
  t.match(dump, 'email_verification', 'a mail is waiting')
  t.notMatch(dump, /token=|\/verify-email|\/reset-password/)
  for (const token of tokens) {
    const bytes = Buffer.from(token, 'base64url')
    const mac = bytes.subarray(20)
    for (const form of [
      token,
      bytes.toString('hex'),
      mac.toString('hex'),
      mac.toString('base64'),
      mac.toString('base64url')
    ]) {
      t.notOk(dump.includes(form))
    }
  }
  const ids = await sql<{ id: string }>(service, 'select id from account_tokens')
  for (const { id } of ids) {
    const guess = Buffer.concat([
      Buffer.from(tokens[0]!, 'base64url').subarray(0, 4),
      Buffer.from(id.replaceAll('-', ''), 'hex'),
      Buffer.alloc(32)
    ])
    for (const path of ['/auth/email/verify', '/auth/password/reset'] as const) {
      const json = {
        token: guess.toString('base64url'),
        ...(path.endsWith('reset') && { new_password: 'another quiet evening' })
      }
      t.equal((await call(service, `POST ${path}`, { json })).status, 400)
    }
  }
})
