import { randomBytes } from 'node:crypto'
import t from 'tap'
import { type Answer, call, cookiesOf, type Tokens } from '../support/client.ts'
import { attempt, from, registerElsewhere, somewhere, startLimited, statuses, times } from '../support/limited.ts'
import { kinds, type Service, sql, startService } from '../support/service.ts'
import { basic, createClient } from '../support/service-client.ts'

const limited = { postgres: await startLimited(t), embedded: await startLimited(t, {}, 'embedded') }
const service = limited.postgres

/** A name that nobody else has, and that was never tried. */
const anybody = () => `somebody-${randomBytes(6).toString('hex')}`

/** One password for many names, each at once. */
const spray = (service: Service, names: number, headersOf: (n: number) => Record<string, string>) =>
  Promise.all(
    Array.from({ length: names }, (_, n) =>
      call(service, 'POST /auth/login', {
        json: { username: anybody(), password: 'a long and quiet evening' },
        headers: headersOf(n)
      })
    )
  )

const count = (answers: Answer[], status: number) => statuses(answers).filter((other) => other === status).length

for (const kind of kinds) {
  await t.test(`one password for two hundred names from one address is stopped, on ${kind}`, async (t) => {
    const service = limited[kind]
    const address = somewhere()
    const answers = await spray(service, 200, () => from(address))
    t.same([count(answers, 401), count(answers, 429)], [20, 180])
    const refused = answers.find(({ status }) => status === 429)
    const detail = /^Too many attempts: logins from this device\. Try again in \d+ seconds$/
    t.match(refused?.body, { code: 'rate_limited', detail })
    const wait = Number(refused?.headers.get('retry-after'))
    t.ok(wait >= 1 && wait <= 60 && Number.isInteger(wait), String(wait))
    t.equal((await attempt(service, anybody(), 'x', { address })).status, 429)
    t.equal((await attempt(service, anybody(), 'x')).status, 401, 'nobody else is stopped')
  })
}

await t.test('a burst over two instances is counted once, and a restart does not forget it', async (t) => {
  const second = await startLimited(t, service.env)
  const address = somewhere()
  const answers = (
    await Promise.all([service, second].map((instance) => spray(instance, 100, () => from(address))))
  ).flat()
  t.same([count(answers, 401), count(answers, 429)], [20, 180])
  await second.close()
  const restarted = await startLimited(t, service.env)
  t.equal((await attempt(restarted, anybody(), 'x', { address })).status, 429)
})

const complaints = ({ log }: Service) => log.filter((line) => line.includes('TRUST_PROXY must name it')).length

await t.test('the first request through a proxy that is not named tells the operator', async (t) => {
  for (const header of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP']) {
    const direct = await startService(t)
    await call(direct, 'GET /health/live')
    t.equal(complaints(direct), 0)
    await call(direct, 'GET /health/live', { headers: { [header]: '192.0.2.1' } })
    await call(direct, 'GET /nowhere', { headers: { [header]: '192.0.2.2' } })
    t.equal(complaints(direct), 1, header)
  }
  await call(service, 'GET /health/live', { headers: from('192.0.2.1') })
  t.equal(complaints(service), 0, 'a proxy that is named is no news')
})

const forgeries = (n: number): Record<string, string> => ({
  'x-forwarded-for': `192.0.2.${String(n)}`,
  'x-real-ip': `192.0.2.${String(n)}`,
  'x-client-ip': `192.0.2.${String(n)}`,
  'cf-connecting-ip': `192.0.2.${String(n)}`,
  'true-client-ip': `192.0.2.${String(n)}`,
  forwarded: `for=192.0.2.${String(n)}`
})

await t.test('nobody chooses the address that is counted, but a proxy that is named', async (t) => {
  const direct = await startService(t, { RATE_LIMIT: 'on' })
  await direct.app.passwords.hash('the first')
  const answers = await spray(direct, 40, forgeries)
  t.same([count(answers, 401), count(answers, 429)], [20, 20])
  t.equal(complaints(direct), 1, 'and the operator of a proxy that is not named learns why, once')

  const elsewhere = await startService(t, { RATE_LIMIT: 'on', TRUST_PROXY: '192.0.2.200' })
  await elsewhere.app.passwords.hash('the first')
  t.equal(count(await spray(elsewhere, 40, forgeries), 429), 20, 'nor does the name of another proxy help')

  t.equal(count(await spray(service, 40, forgeries), 429), 0, 'each client of a proxy has its own')
  const address = somewhere()
  const prepended = await spray(service, 40, (n) => from(`192.0.2.${String(n)}, ${address}`))
  t.equal(count(prepended, 429), 20, 'what a client sent to the proxy is not believed')
})

await t.test('the addresses of one IPv6 network are one, and so are all spellings (CVE-2026-45364)', async (t) => {
  const hex = () => randomBytes(2).toString('hex')
  const rotated = await spray(service, 40, () => from(`2001:db8:0:7:${hex()}:${hex()}:${hex()}:${hex()}`))
  t.equal(count(rotated, 429), 20)
  const spellings = ['2001:DB8:0:7::1', '2001:0db8:0000:0007::', '2001:db8::7:1:2:3:4']
  for (const address of spellings) t.equal((await attempt(service, anybody(), 'x', { address })).status, 429, address)
  t.equal((await attempt(service, anybody(), 'x', { address: '2001:db8:0:8::1' })).status, 401, 'the next network')
  const mapped = ['203.0.113.9', '::ffff:203.0.113.9', '::FFFF:cb00:7109', '0:0:0:0:0:ffff:203.0.113.9']
  t.equal(count(await spray(service, 40, (n) => from(mapped[n % 4]!)), 429), 20)
})

await t.test('ten registrations an hour come from an address', async (t) => {
  const address = somewhere()
  const register = (name: string, password = 'a long and quiet evening') =>
    call(service, 'POST /auth/registration', {
      json: { username: name, email: `${name}@example.com`, password },
      headers: from(address)
    })
  t.equal((await call(service, 'POST /auth/registration', { json: {}, headers: from(address) })).status, 400)
  const name = anybody()
  t.same(statuses(await times(9, (n) => register(`${name}-${String(n)}`))), Array<number>(9).fill(201))
  t.equal((await register(`${name}-0`)).status, 409, 'one that only asks whether a name is taken counts')
  const refused = await register(`${name}-10`)
  t.match(refused, { status: 429, body: { code: 'rate_limited' } })
  t.ok(Number(refused.headers.get('retry-after')) > 3000)
  t.ok(await registerElsewhere(service), 'elsewhere one can')
})

await t.test('a session is refreshed sixty times a minute', async (t) => {
  const { username, password } = await registerElsewhere(service)
  const login = async () =>
    (
      await call(service, 'POST /auth/login', {
        json: { username, password, transport: 'bearer' },
        headers: from(somewhere())
      })
    ).body as Tokens
  const refresh = (refresh_token: string) => call(service, 'POST /auth/refresh', { json: { refresh_token } })
  let { refresh_token: token } = await login()
  const rotate = async () => {
    const answer = await refresh(token)
    if (answer.status === 200) token = (answer.body as Tokens).refresh_token
    return answer
  }
  const answers = await times(61, rotate)
  t.same([count(answers, 200), count(answers, 429)], [60, 1])
  t.ok(Number(answers[60]?.headers.get('retry-after')) >= 1)
  t.equal((await refresh((await login()).refresh_token)).status, 200, 'another session')
  const cookie = cookiesOf(await attempt(service, username, password))
  const byCookie = await times(61, () => call(service, 'POST /auth/refresh', { cookie }))
  t.same([count(byCookie, 200), count(byCookie, 429)], [60, 1], 'by cookie as well')
  const unreadable = await times(61, () => refresh('unreadable'))
  t.same([count(unreadable, 401), count(unreadable, 429)], [60, 1], 'what is no token of ours counts by address')
  t.same(await sql(service, "select key from rate_limits where key like 'refresh%'"), [], 'without a write for each')
  const { refresh_token: spent } = await login()
  token = spent
  await rotate()
  const replayed = await times(65, () => refresh(spent))
  t.same([count(replayed, 200), count(replayed, 429)], [59, 6])
  t.equal((await rotate()).status, 200, 'what is spent stops what is good from nothing')
})

await t.test('of service clients only those are slowed down that fail', async (t) => {
  const service = await startLimited(t)
  const client = await createClient(service)
  const ask = async (secret: string, address = '192.0.2.1', id = client.id) => {
    const headers = { ...from(address), authorization: basic({ id, secret }) }
    return call(service, 'POST /oauth/token', {
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      raw: 'grant_type=client_credentials'
    })
  }
  t.same(statuses(await times(50, () => ask(client.secret))), Array<number>(50).fill(200))
  t.same(statuses(await times(20, () => ask('wrong'))), Array<number>(20).fill(401))
  const refused = await ask('wrong')
  t.equal(refused.status, 429)
  t.ok(Number(refused.headers.get('retry-after')) >= 1)
  t.match(refused.body, { code: 'rate_limited' })
  t.equal((await ask(client.secret)).status, 200, 'who is known goes on, from the same address')
  t.equal((await ask('wrong', '192.0.2.2')).status, 401, 'nobody else waits')
  const colleague = await createClient(service, { name: 'colleague', isReader: true })
  t.equal(
    (await ask(colleague.secret, '192.0.2.1', colleague.id)).status,
    200,
    'nor another client at the same address'
  )
  const audited = "select id from audit_events where type = 'client.login_failed' and ip = '192.0.2.1'"
  await times(30, (n) => ask('wrong', '192.0.2.1', `00000000-0000-4000-8000-0000000000${String(n + 10)}`))
  t.equal((await sql(service, audited)).length, 20, 'made-up clients fill no audit')
})

await t.test('a limit is what its setting says, wherever it is counted', async (t) => {
  const strict = await startLimited(t, { LIMIT_LOGIN: '2/1h', LIMIT_CLIENT: '1/1h' })
  const address = somewhere()
  const logins = await times(3, () => attempt(strict, anybody(), 'x', { address }))
  t.same(statuses(logins), [401, 401, 429])
  const wait = Number(logins.at(-1)?.headers.get('retry-after'))
  t.ok(wait > 59 * 60 && wait <= 60 * 60, String(wait))
  const { id } = await createClient(strict)
  const wrong = await times(2, () =>
    call(strict, 'POST /oauth/token', {
      headers: { authorization: basic({ id, secret: 'wrong' }), 'content-type': 'application/x-www-form-urlencoded' },
      raw: 'grant_type=client_credentials'
    })
  )
  t.same(statuses(wrong), [401, 429])
})

await t.test('what is only read, and what proxies ask, is never limited', async (t) => {
  const { username, password } = await registerElsewhere(service)
  const { access_token: bearer } = (await attempt(service, username, password)).body as Tokens
  const reads = [
    'GET /authz',
    'POST /authz/reader',
    'GET /authz/admin',
    'GET /.well-known/jwks.json',
    'GET /health/live',
    'GET /health/ready',
    'GET /auth/me',
    'GET /auth/sessions',
    'POST /auth/logout'
  ] as const
  for (const read of reads) {
    const answers = await Promise.all(Array.from({ length: 70 }, () => call(service, read)))
    t.equal(count(answers, 429), 0, `${read} of a stranger`)
    if (read === 'POST /auth/logout') continue
    const ofUser = await Promise.all(Array.from({ length: 70 }, () => call(service, read, { bearer })))
    t.equal(count(ofUser, 429), 0, `${read} of a user`)
  }
})

await t.test('where the table alone fails each instance counts for itself, and only logins wait for it', async (t) => {
  const { username, password } = await registerElsewhere(service)
  const { access_token: bearer } = (await attempt(service, username, password)).body as Tokens
  await sql(service, 'alter table rate_limits rename to rate_limits_away')
  const address = somewhere()
  const answers = await times(11, () => {
    const name = anybody()
    const json = { username: name, email: `${name}@example.com`, password }
    return call(service, 'POST /auth/registration', { json, headers: from(address) })
  })
  t.same([count(answers, 201), count(answers, 429)], [10, 1])
  t.match(await attempt(service, username, password), { status: 503, body: { code: 'unavailable' } })
  for (const read of ['GET /auth/me', 'GET /authz/reader'] as const) {
    t.ok((await call(service, read, { bearer })).status < 300, read)
  }
  await sql(service, 'alter table rate_limits_away rename to rate_limits')
  t.equal((await attempt(service, username, password)).status, 200)
  t.ok(service.log.some((line) => line.includes('limits are counted by each instance for itself')))
})

await t.test('a service that only its developer reaches lets many users register', async (t) => {
  const registrations = async (env: Record<string, string>) => {
    const target = await startLimited(t, env)
    const address = somewhere()
    const answers: Answer[] = []
    for (let n = 0; n < 12; n++) {
      const json = {
        username: `newcomer-${String(n)}`,
        email: `newcomer-${String(n)}@example.com`,
        password: 'a long and quiet evening'
      }
      answers.push(await call(target, 'POST /auth/registration', { json, headers: from(address) }))
    }
    return answers
  }
  const local = { ISSUER: 'http://127.0.0.1:3000' }
  t.same(new Set(statuses(await registrations(local))), new Set([201]))
  t.same(
    count(await registrations({ ...local, LIMIT_REGISTRATION: '10/1h' }), 201),
    10,
    'unless the setting says otherwise'
  )
  const refused = (await registrations({})).at(-1)
  const detail = /^Too many attempts: registrations from this address\. Try again in \d+ minutes$/
  t.match(refused, { status: 429, body: { detail } })
})
