import t from 'tap'
import { type Answer, call, cookiesOf } from '../support/client.ts'
import { attempt, letPass, registerElsewhere, somewhere, startLimited, statuses, times } from '../support/limited.ts'
import { kinds, type Service, sql, startService } from '../support/service.ts'

const limited = { postgres: await startLimited(t), embedded: await startLimited(t, {}, 'embedded') }
const service = limited.postgres

const fiveFailures = Array<number>(5).fill(401)

/** The wait of a second that begins then is made a minute longer, so that no machine is too slow to meet it. */
async function failFiveTimes(service: Service, username: string): Promise<Answer[]> {
  const answers = await times(5, () => attempt(service, username, 'not the password'))
  await letPass(service, -60)
  return answers
}

const theWait = 61

/** The cookies of a session alone: that of its device shows more, see device-cookies.test.ts. */
const sessionIn = (login: Answer) => cookiesOf(login).replace(/(; )?device_token=[^;]+/, '')

const tokenOf = (login: Answer) => (login.body as { access_token: string }).access_token

for (const kind of kinds) {
  await t.test(`wrong passwords of one account make it wait, wherever they come from, on ${kind}`, async (t) => {
    const service = limited[kind]
    const { username, password } = await registerElsewhere(service)
    const wrong = () => attempt(service, username, 'not the password')
    const verify = t.capture(service.app.passwords, 'verify', service.app.passwords.verify)

    t.same(statuses(await failFiveTimes(service, username)), fiveFailures, 'five are free')
    verify()
    for (const guess of ['not the password', password]) {
      const refused = await attempt(service, username, guess)
      t.match(refused, { status: 429, body: { code: 'rate_limited', detail: 'Too many attempts' }, cookies: [] })
      const wait = Number(refused.headers.get('retry-after'))
      t.ok(wait > 0 && wait <= theWait && Number.isInteger(wait), String(wait))
      t.equal(refused.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    }
    t.equal(verify().length, 0, 'no password is looked at while it waits')

    await letPass(service, theWait)
    for (const wait of [2, 4, 8, 16]) {
      t.equal((await wrong()).status, 401, 'the wait is over')
      const told = Number((await wrong()).headers.get('retry-after'))
      t.ok(told === wait || told === wait - 1, `and the next is twice as long: ${String(told)}`)
      await letPass(service, wait)
    }

    t.equal((await attempt(service, username, password)).status, 200, 'the right password still works')
    t.same(statuses(await failFiveTimes(service, username)), fiveFailures, 'and the count begins anew')
    t.equal((await wrong()).status, 429)
  })
}

await t.test('the wait grows to a quarter of an hour and no more', async (t) => {
  const { username } = await registerElsewhere(service)
  await failFiveTimes(service, username)
  await sql(service, "update rate_limits set points = 60 where key like 'failures:%'")
  await letPass(service, theWait)
  t.equal((await attempt(service, username, 'not the password')).status, 401)
  t.equal((await attempt(service, username, 'not the password')).headers.get('retry-after'), '900')
})

await t.test('after a hundred failures only a device of the user, or a new password, opens, for a day', async (t) => {
  const { username, password } = await registerElsewhere(service)
  const home = somewhere()
  const login = await attempt(service, username, password, { address: home })
  await failFiveTimes(service, username)
  await sql(service, "update rate_limits set points = 99 where key like 'failures:%'")
  await letPass(service, theWait)
  t.equal((await attempt(service, username, 'not the password')).status, 401, 'the hundredth')
  await letPass(service, 23 * 60 * 60)
  const refused = await attempt(service, username, password)
  t.equal(refused.status, 429)
  const wait = Number(refused.headers.get('retry-after'))
  t.ok(wait > 55 * 60 && wait <= 60 * 60, String(wait))

  t.equal((await attempt(service, username, password, { address: home })).status, 200)
  t.equal((await attempt(service, username, password)).status, 429, 'strangers wait on')
  const changed = await call(service, 'POST /auth/password', {
    bearer: tokenOf(login),
    json: { current_password: password, new_password: 'another quiet evening' }
  })
  t.equal(changed.status, 200)
  t.equal((await attempt(service, username, 'another quiet evening')).status, 200)
})

await t.test('a failure is forgotten after thirty days', async (t) => {
  const { username } = await registerElsewhere(service)
  await times(4, () => attempt(service, username, 'not the password'))
  await letPass(service, 30 * 24 * 60 * 60)
  t.same(statuses(await failFiveTimes(service, username)), fiveFailures)
  t.equal((await attempt(service, username, 'not the password')).status, 429)
})

await t.test('two instances and a restart have one count', async (t) => {
  const second = await startLimited(t, service.env)
  const { username, password } = await registerElsewhere(service)
  const three = await times(3, () => attempt(service, username, 'not the password'))
  const two = await times(2, () => attempt(second, username, 'not the password'))
  t.same(statuses([...three, ...two]), fiveFailures)
  await letPass(service, -600)
  await second.close()
  const restarted = await startLimited(t, service.env)
  for (const instance of [service, restarted]) t.equal((await attempt(instance, username, password)).status, 429)
})

await t.test('a burst from everywhere over two instances gets one answer', async (t) => {
  const second = await startLimited(t, service.env)
  const { username } = await registerElsewhere(service)
  await sql(service, "delete from rate_limits where key like 'failures:%'")
  await failFiveTimes(service, username)
  await letPass(service, theWait)
  await sql(service, "update rate_limits set points = 14 where key like 'failures:%'")
  const burst = Array.from({ length: 200 }, (_, n) =>
    attempt(n % 2 === 0 ? service : second, username, 'not the password')
  )
  const answered = statuses(await Promise.all(burst))
  const count = (status: number) => answered.filter((other) => other === status).length
  t.equal(count(401), 1)
  // Where more come at once than can be hashed, the rest is told so.
  t.equal(count(429) + count(503), 199, `${String(count(503))} found the queue of hashes full`)
  const [row] = await sql<{ points: number }>(service, "select points from rate_limits where key like 'failures:%'")
  t.equal(row?.points, 15)
})

await t.test(
  'the right password, hashed while others used up the attempts, is not told from a wrong one',
  async (t) => {
    const { username, password } = await registerElsewhere(service)
    const { passwords } = service.app
    const { verify } = passwords
    for (const guess of [password, 'not the password']) {
      await sql(service, "delete from rate_limits where key like 'failures:%'")
      passwords.verify = async (...asked) => {
        passwords.verify = verify
        await failFiveTimes(service, username)
        return verify(...asked)
      }
      t.match(await attempt(service, username, guess), { status: 429, cookies: [] })
    }
    const logins = 'select last_login_at from users where username = $1 and last_login_at is not null'
    t.same(await sql(service, logins, [username]), [])
  }
)

await t.test('a user has one counter under all their names', async (t) => {
  const { username, email, password } = await registerElsewhere(service, 'alice')
  const fullWidth = username.replace('alice', 'ａｌｉｃｅ')
  for (const name of [username, username.toUpperCase(), fullWidth, email, email.toUpperCase()]) {
    t.equal((await attempt(service, name, 'not the password')).status, 401, name)
  }
  for (const name of [username, fullWidth, email]) t.equal((await attempt(service, name, password)).status, 429, name)
})

/** What an observer sees, without what differs between any two answers. */
function seen(answer: Answer): object {
  const { 'x-request-id': id = '', 'retry-after': wait = '', date, ...headers } = Object.fromEntries(answer.headers)
  return {
    status: answer.status,
    headers,
    waits: Number(wait) > 0,
    isDated: date !== undefined,
    body: answer.text.replaceAll(id, 'ID')
  }
}

await t.test('guessing looks the same, whether there is such a user or not', async (t) => {
  const [known, disabled, invited] = [
    await registerElsewhere(service, 'known'),
    await registerElsewhere(service, 'disabled'),
    await registerElsewhere(service, 'invited')
  ]
  await sql(service, 'update users set is_disabled = true where username = $1', [disabled.username])
  await sql(service, 'update users set password = null where username = $1', [invited.username])
  const names = [known.username, disabled.username, invited.username, 'nobody-here', 'nobody@example.com', '…']
  const verify = t.capture(service.app.passwords, 'verify', service.app.passwords.verify)
  const seenOf: Record<string, object[]> = Object.fromEntries(names.map((name) => [name, []]))
  const round = async () => {
    for (const name of names) seenOf[name]?.push(seen(await attempt(service, name, disabled.password + '!')))
  }
  await times(5, round)
  await letPass(service, -60)
  await round()
  await letPass(service, theWait)
  await round()
  await letPass(service, -60)
  await round()

  const statusesSeen = seenOf[known.username]?.map((answer) => (answer as { status: number }).status)
  t.same(statusesSeen, [...fiveFailures, 429, 401, 429])
  for (const name of names) t.same(seenOf[name], seenOf[known.username], name)
  t.equal(verify().length, 6 * names.length, 'each costs the same hashes')
})

await t.test('a stranger cannot lock a user out of their own devices', async (t) => {
  const { username, password } = await registerElsewhere(service)
  const home = '203.0.113.7'
  const login = await attempt(service, username, password, { address: home })
  t.equal(login.status, 200)
  const cookie = sessionIn(login)
  const other = await registerElsewhere(service, 'other')
  const cookieOfOther = cookiesOf(await attempt(service, other.username, other.password))
  await failFiveTimes(service, username)
  t.equal((await attempt(service, username, password)).status, 429, 'a stranger waits')

  await t.test('those are the address of a session that is alive', async (t) => {
    t.equal((await attempt(service, username, password, { address: home })).status, 200)
    t.equal((await attempt(service, username, password, { address: `::ffff:${home}` })).status, 200)
  })

  await t.test('and whatever holds a session of theirs', async (t) => {
    t.equal((await attempt(service, username, password, { cookie })).status, 200)
    for (const foreign of [cookieOfOther, 'refresh_token=forged', cookie.replace(/refresh_token=.{9}/, '$&x')]) {
      t.equal((await attempt(service, username, password, { cookie: foreign })).status, 429)
    }
  })

  await t.test('the session itself goes on', async (t) => {
    t.equal((await call(service, 'GET /auth/me', { bearer: tokenOf(login) })).status, 200)
    t.equal((await call(service, 'POST /auth/refresh', { cookie })).status, 200)
  })

  await t.test('a device has the same five attempts of its own', async (t) => {
    for (const known of [{ address: home }, { cookie }] as const) {
      const wrong = () => attempt(service, username, 'not the password', known)
      t.same(statuses(await times(5, wrong)), fiveFailures)
      await letPass(service, -60)
      t.equal((await wrong()).status, 429)
      t.equal((await attempt(service, username, password, known)).status, 429)
    }
  })

  await t.test('a session that has ended vouches for nobody', async (t) => {
    const address = somewhere()
    await letPass(service, 10 * theWait)
    const fresh = sessionIn(await attempt(service, username, password, { address }))
    await failFiveTimes(service, username)
    t.equal((await attempt(service, username, password, { address })).status, 200)
    await sql(service, "update sessions set last_used_at = now() - interval '15 days'")
    t.equal((await attempt(service, username, password, { address })).status, 429)
    t.equal((await attempt(service, username, password, { cookie: fresh })).status, 429)
  })
})

await t.test('the start of the waits is audited once, and no attempt that is turned away', async (t) => {
  const { username } = await registerElsewhere(service)
  await failFiveTimes(service, username)
  await times(3, () => attempt(service, username, 'not the password'))
  await letPass(service, theWait)
  t.equal((await attempt(service, username, 'not the password')).status, 401)
  const events = await sql<{ type: string; details: object }>(
    service,
    `select type, details from audit_events
     where user_id = (select id from users where username = $1) and type <> 'user.registered' order by id`,
    [username]
  )
  t.same(
    events.map(({ type }) => type),
    [...Array<string>(5).fill('user.login_failed'), 'user.locked_out', 'user.login_failed']
  )
  t.same(events[5]?.details, { failures: 5 })
})

await t.test('the present password, which a thief of a token would need, is no easier to guess', async (t) => {
  const { username, password } = await registerElsewhere(service)
  const bearer = tokenOf(await attempt(service, username, password))
  const bearerElsewhere = tokenOf(await attempt(service, username, password))
  const change = (token: string, typed: string) =>
    call(service, 'POST /auth/password', {
      bearer: token,
      json: { current_password: typed, new_password: 'another quiet evening' }
    })
  t.same(statuses(await times(5, () => change(bearer, 'not the password'))), fiveFailures)
  await letPass(service, -60)
  const refused = await change(bearer, password)
  t.match(refused, { status: 429, body: { code: 'rate_limited' } })
  t.ok(Number(refused.headers.get('retry-after')) <= theWait, 'as long as a login')
  t.equal((await change(bearerElsewhere, password)).status, 200, 'not for another session of the user')
})

await t.test('RATE_LIMIT=off counts nothing', async (t) => {
  const service = await startService(t)
  const { username, password } = await registerElsewhere(service)
  t.same(statuses(await times(30, () => attempt(service, username, 'no'))), Array<number>(30).fill(401))
  t.equal((await attempt(service, username, password)).status, 200)
  t.same(await sql(service, 'select * from rate_limits'), [])
})

await t.test('without its count no password is tried', async (t) => {
  const { username, password } = await registerElsewhere(service)
  const verify = t.capture(service.app.passwords, 'verify', service.app.passwords.verify)
  await sql(service, 'alter table rate_limits rename to rate_limits_away')
  const answer = await attempt(service, username, password)
  t.match(answer, { status: 503, body: { code: 'unavailable' }, cookies: [] })
  t.equal(verify().length, 0)
  await sql(service, 'alter table rate_limits_away rename to rate_limits')
  t.equal((await attempt(service, username, password)).status, 200)
})
