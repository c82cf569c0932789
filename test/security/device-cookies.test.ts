import t from 'tap'
import { type Answer, call, cookiesOf } from '../support/client.ts'
import { attempt, from, letPass, type Login, registerElsewhere, somewhere, startLimited } from '../support/limited.ts'
import { statuses, times } from '../support/limited.ts'
import { startMailServer, tokenIn } from '../support/mail-server.ts'
import { createFolder, type Service, sql } from '../support/service.ts'

const mail = await startMailServer(t)
const service = await startLimited(t, mail.env)

/** The cookie by which a device is known, as a browser sends it back when the session's are gone. */
const deviceOf = (answer: Answer): string => /(__Secure-)?device_token=[^;]+/.exec(cookiesOf(answer))?.[0] ?? ''

/** Logs in somewhere and out again. @returns what stays on the device */
async function deviceAfterLogin(service: Service, { username, password }: Login, cookie?: string): Promise<string> {
  const login = await attempt(service, username, password, cookie === undefined ? {} : { cookie })
  t.equal(login.status, 200)
  const logout = await call(service, 'POST /auth/logout', { cookie: cookiesOf(login) })
  t.notMatch(logout.cookies.join('\n'), /device_token/, 'logout leaves it')
  return deviceOf(login)
}

/** Strangers from everywhere have used up what they have. */
async function lockOut(service: Service, { username }: Login): Promise<void> {
  await attempt(service, username, 'not the password')
  const [user] = await sql<{ id: number }>(service, 'select id from users where username = $1', [username])
  const key = `failures:${String(user?.id)}`
  await sql(service, 'update rate_limits set points = 99 where key = $1', [key])
  t.equal((await attempt(service, username, 'not the password')).status, 401, 'the hundredth')
}

const logIn = (service: Service, { username, password }: Login, cookie?: string, address = somewhere()) =>
  attempt(service, username, password, { address, ...(cookie !== undefined && { cookie }) })

await t.test(
  'a device of the user goes on, whatever strangers do and wherever it is, when no session lives',
  async (t) => {
    const person = await registerElsewhere(service)
    const device = await deviceAfterLogin(service, person)
    t.same(
      await sql(service, 'select id from sessions where user_id = (select id from users where username = $1)', [
        person.username
      ]),
      []
    )
    await lockOut(service, person)
    const refused = await logIn(service, person)
    t.equal(refused.status, 429, 'anywhere else')
    const wait = Number(refused.headers.get('retry-after'))
    t.ok(wait > 60 * 60 && wait <= 24 * 60 * 60, `for a day at most: ${String(wait)}`)
    t.equal((await logIn(service, person, device)).status, 200)
    t.equal((await logIn(service, person)).status, 429, 'which strangers gain nothing by')
    await letPass(service, 24 * 60 * 60)
    t.equal((await logIn(service, person)).status, 200, 'and in a day anybody who has the password')
  }
)

await t.test('strangers at the same address do not stop it either', async (t) => {
  const person = await registerElsewhere(service)
  const device = await deviceAfterLogin(service, person)
  const address = somewhere()
  const guesses = await times(21, () => attempt(service, 'nobody-at-all', 'not the password', { address }))
  t.equal(guesses.at(-1)?.status, 429)
  t.equal((await logIn(service, person, undefined, address)).status, 429, 'without the cookie')
  t.equal((await logIn(service, person, device, address)).status, 200)
})

await t.test('it has a count of its own, that is nobody else’s', async (t) => {
  const person = await registerElsewhere(service)
  const device = await deviceAfterLogin(service, person)
  const wrong = await times(5, () => attempt(service, person.username, 'not the password', { cookie: device }))
  t.same(statuses(wrong), Array(5).fill(401))
  await letPass(service, -60)
  t.equal((await logIn(service, person, device)).status, 429)
  const second = await startLimited(t, service.env)
  t.equal((await logIn(second, person, device)).status, 429, 'at every instance')
  t.equal((await logIn(service, person)).status, 200)
  await letPass(service, 120)
  t.equal((await logIn(second, person, device)).status, 200, 'which knows the device')
})

await t.test('it is of no use for another account', async (t) => {
  const [person, thief] = [await registerElsewhere(service), await registerElsewhere(service)]
  const own = await deviceAfterLogin(service, person)
  const foreign = await deviceAfterLogin(service, thief)
  await lockOut(service, person)
  const [, ownId = '', ownProof = ''] = /=(.*)\.(.*)/.exec(own) ?? []
  const [, foreignId = '', foreignProof = ''] = /=(.*)\.(.*)/.exec(foreign) ?? []
  const forged = [
    foreign,
    `device_token=${ownId}.${foreignProof}`,
    `device_token=${foreignId}.${ownProof}`,
    `device_token=${ownId}`,
    `device_token=${ownId}.${ownProof.slice(0, -2)}AA`,
    own + 'x',
    'device_token=rubbish',
    'device_token=.'
  ]
  for (const cookie of forged) t.equal((await logIn(service, person, cookie)).status, 429, cookie)
  t.equal((await logIn(service, person, own)).status, 200)

  const address = somewhere()
  const spray = await times(40, (n) => attempt(service, `nobody-${String(n)}`, 'x', { address, cookie: foreign }))
  t.ok(statuses(spray).filter((status) => status === 429).length >= 20, 'nor does it let one try more names')
  const more = await times(5, () => attempt(service, 'nobody', 'x', { address }))
  t.equal(more.at(-1)?.status, 429, 'each counted by its address, too')
})

await t.test('it tells nobody’s name, and no script reads it', async (t) => {
  const secure = await startLimited(t, { ...service.env, COOKIE_PREFIX: 'on' })
  const person = await registerElsewhere(service)
  for (const [name, instance] of Object.entries({ device_token: service, '__Secure-device_token': secure })) {
    const login = await logIn(instance, person)
    const line = login.cookies.find((line) => line.startsWith(`${name}=`)) ?? ''
    t.match(line, /; Max-Age=31536000; Path=\/auth; HttpOnly; Secure; SameSite=Strict$/)
    const [, value = ''] = /=([^;]*)/.exec(line) ?? []
    const parts = value.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))
    for (const told of [person.username, person.email]) t.notOk(parts.join().includes(told))
    t.ok(line.length < 1024)
  }
  const plain = deviceOf(await logIn(service, person))
  await lockOut(service, person)
  t.equal((await logIn(secure, person, plain)).status, 429, 'with COOKIE_PREFIX=on the plain name is nobody’s')
  t.equal((await logIn(secure, person, `__Secure-${plain}`)).status, 200)
  const others = await startLimited(t, { ...service.env, KEYS_DIR: createFolder(t) })
  t.equal((await logIn(others, person, plain)).status, 429, 'nor is it read with other keys')
})

await t.test('several users share a device', async (t) => {
  const people = [await registerElsewhere(service), await registerElsewhere(service), await registerElsewhere(service)]
  let device: string | undefined
  for (const person of people) device = await deviceAfterLogin(service, person, device)
  for (const person of people) await lockOut(service, person)
  for (const person of people) t.equal((await logIn(service, person, device)).status, 200)
  for (let n = 0; n < 6; n++) device = await deviceAfterLogin(service, await registerElsewhere(service), device)
  t.equal(device?.split('.').length, 6, 'five of them are known')
  t.equal((await logIn(service, people[0]!, device)).status, 429)
})

await t.test('another password leaves known only the device on which it was set', async (t) => {
  const person = await registerElsewhere(service)
  const elsewhere = await deviceAfterLogin(service, person)
  const login = await logIn(service, person)
  const changed = await call(service, 'POST /auth/password', {
    cookie: cookiesOf(login),
    json: { current_password: person.password, new_password: 'another quiet evening' }
  })
  t.equal(changed.status, 200)
  const after = { ...person, password: 'another quiet evening' }
  await lockOut(service, person)
  t.equal((await logIn(service, after, elsewhere)).status, 429)
  t.equal((await logIn(service, after, deviceOf(login))).status, 429, 'as it was before')
  t.equal((await logIn(service, after, deviceOf(changed))).status, 200)
})

await t.test(
  'a caller with a session or a device has a place among the hashes that strangers cannot fill',
  async (t) => {
    const person = await registerElsewhere(service)
    const other = await deviceAfterLogin(service, await registerElsewhere(service))
    const login = await logIn(service, person)
    const session = { refresh: cookiesOf(login).replace(/(; )?device_token=[^;]+/, ''), device: deviceOf(login) }
    const verify = t.capture(service.app.passwords, 'verify', service.app.passwords.verify)
    const callers = () => verify().map(({ args }) => args[2])
    for (const cookie of [session.refresh, session.device]) await logIn(service, person, cookie)
    await call(service, 'POST /auth/reauthenticate', {
      cookie: cookiesOf(login),
      json: { password: 'not the password' }
    })
    t.same(callers(), ['known', 'known', 'known'])
    for (const cookie of [undefined, other]) await logIn(service, person, cookie)
    await logIn(service, { ...person, username: 'nobody-here' }, session.device)
    t.same(callers(), ['stranger', 'stranger', 'stranger'])
  }
)

await t.test('a mailed link lets a new device in, while strangers go on', async (t) => {
  const person = await registerElsewhere(service)
  await lockOut(service, person)
  const ask = (email: string) =>
    call(service, 'POST /auth/unlock/request', { json: { email }, headers: from(somewhere()) })
  const [known, unknown] = [await ask(person.email.toUpperCase()), await ask('nobody@example.com')]
  t.match(known, { status: 202, text: '', cookies: [] })
  t.same([unknown.status, unknown.text, unknown.cookies], [known.status, known.text, known.cookies])
  const sent = await mail.mailTo(t, person.email, 2)
  t.match(sent, { subject: 'Sign in on a new device again' })
  const unlock = (token: string, headers = {}) =>
    call(service, 'POST /auth/unlock', { json: { token }, headers: { ...from(somewhere()), ...headers } })
  const token = tokenIn(sent)
  t.equal((await unlock(token, { 'sec-fetch-site': 'cross-site' })).status, 403, 'not by a page of others')
  const unlocked = await unlock(token)
  t.match(unlocked, { status: 204, text: '' })
  t.match(await unlock(token), { status: 400, body: { code: 'validation_failed' }, cookies: [] }, 'once')

  await lockOut(service, person)
  t.equal((await logIn(service, person)).status, 429)
  const login = await logIn(service, person, deviceOf(unlocked))
  t.equal(login.status, 200, 'the password has stayed as it was')
  t.match(login.cookies.join('\n'), /device_token/)

  const events = await sql<{ type: string }>(
    service,
    `select type from audit_events where type like 'user.unlock%'
     and (user_id is null or user_id = (select id from users where username = $1)) order by id`,
    [person.username]
  )
  t.same(
    events.map(({ type }) => type),
    ['user.unlock_requested', 'user.unlock_requested', 'user.unlocked']
  )
})

await t.test('clients without cookies are let in by the link as well', async (t) => {
  const person = await registerElsewhere(service)
  await lockOut(service, person)
  await call(service, 'POST /auth/unlock/request', { json: { email: person.email }, headers: from(somewhere()) })
  const token = tokenIn(await mail.mailTo(t, person.email, 2))
  t.equal((await call(service, 'POST /auth/unlock', { json: { token } })).status, 204)
  t.equal((await logIn(service, person)).status, 200)
})
