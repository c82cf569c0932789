import t from 'tap'
import { type Answer, call, registerPerson } from '../support/client.ts'
import { attempt, letPass, registerElsewhere, startLimited, times } from '../support/limited.ts'
import { sql, startService } from '../support/service.ts'

/** What an observer sees of an answer, without what differs between any two. */
function seen(answer: Answer): object {
  const { 'x-request-id': id, date, ...headers } = Object.fromEntries(answer.headers)
  return {
    status: answer.status,
    headers,
    hasId: id !== undefined && date !== undefined,
    body: answer.text.replaceAll(id ?? '', 'ID')
  }
}

await t.test('a login that fails', async (t) => {
  const service = await startService(t)
  const [wrong, disabled, invited] = [
    await registerPerson(service, 'wrong'),
    await registerPerson(service, 'disabled'),
    await registerPerson(service, 'invited')
  ]
  await sql(service, 'update users set is_disabled = true where id = $1', [disabled.id])
  await sql(service, 'update users set password = null where id = $1', [invited.id])
  const unknown = { username: 'nobody-here', email: 'nobody@example.com', password: 'a long and quiet evening' }

  const attempts: [title: string, username: string, password: string][] = [
    ['unknown user', unknown.username, unknown.password],
    ['unknown e-mail address', unknown.email, unknown.password],
    ['what can be no name', '…', unknown.password],
    ['wrong password', wrong.username, 'not the password'],
    ['wrong password, by e-mail', wrong.email, 'not the password'],
    ['disabled user', disabled.username, disabled.password],
    ['disabled user, wrong password', disabled.username, 'not the password'],
    ['user without a password', invited.username, invited.password]
  ]

  for (const transport of ['cookie', 'bearer']) {
    await t.test(`looks the same whatever the reason, by ${transport}`, async (t) => {
      const answers = []
      for (const [, username, password] of attempts) {
        answers.push(seen(await call(service, 'POST /auth/login', { json: { username, password, transport } })))
      }
      t.match(answers[0], { status: 401, body: /"Incorrect username or password"/, hasId: true })
      t.match(answers[0], { headers: { 'www-authenticate': 'Bearer' } })
      for (const [index, [title]] of attempts.entries()) t.same(answers[index], answers[0], title)
    })
  }

  await t.test('costs one verification at the configured cost whatever the reason', async (t) => {
    const { passwords } = service.app
    const verify = t.capture(passwords, 'verify', passwords.verify.bind(passwords))
    for (const [title, username, password] of attempts) {
      verify()
      t.equal((await call(service, 'POST /auth/login', { json: { username, password } })).status, 401)
      t.equal(verify().length, 1, title)
    }
  })

  await t.test('and the log tells the operator no more than the client', async (t) => {
    t.notOk(service.log.join('').includes(unknown.username))
  })
})

await t.test(
  'where addresses must be verified, the right password of one that is not looks like a wrong one',
  async (t) => {
    const service = await startLimited(t, { REQUIRE_VERIFIED_EMAIL: 'on' })
    const [right, wrong] = [await registerElsewhere(service), await registerElsewhere(service)]
    const logins: [title: string, username: string, password: string][] = [
      ['the right password', right.username, right.password],
      ['a wrong password', wrong.username, 'not the password'],
      ['an unknown user', 'nobody-there', 'not the password']
    ]
    const [first, ...others] = await Promise.all(
      logins.map(async ([, username, password]) => {
        const answers = await times(5, () => attempt(service, username, password))
        await letPass(service, -60)
        return [...answers, await attempt(service, username, password)].map((answer) => ({
          ...seen(answer),
          headers: {
            ...(seen(answer) as { headers: object }).headers,
            'retry-after': answer.headers.has('retry-after')
          }
        }))
      })
    )
    t.same(
      first?.map((answer) => 'status' in answer && answer.status),
      [401, 401, 401, 401, 401, 429]
    )
    for (const [index, answers] of others.entries()) t.same(answers, first, `as of ${logins[index + 1]![0]}`)
    const written = await sql<{ user_id: number | null; count: number }>(
      service,
      `select user_id, count(*)::integer as count from audit_events where type = 'user.login_failed'
     group by user_id order by user_id`
    )
    t.same(
      written.map(({ count }) => count),
      [5, 5, 5]
    )
  }
)

await t.test('registration hashes whether the name is free or not', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  const { passwords } = service.app
  const hash = t.capture(passwords, 'hash', passwords.hash.bind(passwords))
  const { username, email, password } = person
  for (const [json, status] of [
    [{ username, email, password }, 409],
    [{ username: 'someone-else', email, password }, 409],
    [{ username: 'someone-else', email: 'else@example.com', password }, 201]
  ] as const) {
    hash()
    t.equal((await call(service, 'POST /auth/registration', { json })).status, status)
    t.equal(hash().length, 1)
  }
  const taken = await call(service, 'POST /auth/registration', { json: { username, email, password } })
  t.match(taken.body, { code: 'username_taken', detail: 'User with this username already registered' })
  t.notOk(taken.text.includes(email), 'nothing is said of whose it is')
})
