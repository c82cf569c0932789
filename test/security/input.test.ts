import t, { type Test } from 'tap'
import { registerAdmin } from '../support/admin.ts'
import { call, registerPerson, type Answer } from '../support/client.ts'
import { type Service, sql, startService } from '../support/service.ts'

const service = await startService(t)
const person = await registerPerson(service)
const bearer = person.token
const newcomer = { username: 'newcomer', email: 'newcomer@example.com', password: 'a long and quiet evening' }

/** Every operation with a body, and a body that it would take. */
const bodies: [operation: `${string} /${string}`, body: Record<string, unknown>][] = [
  ['POST /auth/registration', newcomer],
  ['POST /auth/login', { username: person.username, password: person.password, transport: 'bearer' }],
  ['POST /auth/refresh', { refresh_token: 'x'.repeat(75) }],
  ['PATCH /auth/me', { first_name: 'Ada', second_name: 'Lovelace', email: person.email }],
  ['POST /auth/password/forgot', { email: person.email }],
  ['POST /auth/password/reset', { token: 'x'.repeat(70), new_password: 'another quiet evening' }],
  ['POST /auth/email/verify', { token: 'x'.repeat(70) }],
  ['POST /auth/password', { current_password: person.password, new_password: 'another quiet evening' }]
]

interface Rules {
  format?: string
  pattern?: string
  minLength?: number
}

const state = async (of: Pick<Service, 'env'> = service) =>
  JSON.stringify([
    await sql(of, 'select * from users order by id'),
    await sql(of, 'select id, user_id from sessions order by id')
  ])

/** A refusal that says what to change, with nothing of the inside and no secret. */
function isClear(t: Test, answer: Answer, status: number, what: string): void {
  t.equal(answer.status, status, what)
  t.match(answer.headers.get('content-type'), 'application/problem+json')
  t.match(answer.body, { status, detail: /\w{4}/, code: /^[a-z_]+$/, request_id: /./ })
  t.notMatch(answer.text, /quiet evening|node_modules|select |insert |\bat \w+ \(/i)
}

await t.test('unknown properties and other types are refused, not repaired', async (t) => {
  const before = await state()
  for (const [operation, body] of bodies) {
    const surplus = ['is_admin', 'id', 'password_hash', 'role', 'roles', 'email_verified', 'is_disabled', 'constructor']
    for (const property of surplus) {
      const answer = await call(service, operation, { bearer, json: { ...body, [property]: true } })
      isClear(t, answer, 400, `${operation} with ${property}`)
      t.match(answer.body, { code: 'validation_failed', errors: [{ path: `/body/${property}` }] })
    }
    for (const property of Object.keys(body)) {
      for (const value of [123, true, ['a'], { a: 1 }, ...(operation.startsWith('PATCH') ? [] : [null])]) {
        isClear(
          t,
          await call(service, operation, { bearer, json: { ...body, [property]: value } }),
          400,
          `${operation} ${property}`
        )
      }
    }
    for (const json of [[], 'text', 1, true, ...(operation.endsWith('refresh') ? [] : [null])]) {
      isClear(t, await call(service, operation, { bearer, json }), 400, `${operation} ${JSON.stringify(json)}`)
    }
  }
  t.equal(await state(), before, 'no row changed')
})

await t.test('NUL, other control characters and lone surrogates are refused in every string', async (t) => {
  const before = await state()
  for (const [operation, body] of bodies) {
    for (const property of Object.keys(body).filter((name) => name !== 'transport')) {
      for (const character of ['\0', '\u0007', '\n', '\u007f', '\u009b', '\ud800', '\udfff']) {
        const text = String(body[property])
        const answer = await call(service, operation, { bearer, json: { ...body, [property]: text + character } })
        isClear(t, answer, 400, `${operation} ${property} ${JSON.stringify(character)}`)
      }
    }
    const raw = Buffer.from(JSON.stringify(body).replace('":"', '":"\u00ff'), 'latin1')
    const answer = await call(service, operation, { bearer, raw, headers: { 'content-type': 'application/json' } })
    isClear(t, answer, 400, `${operation} with a byte that is no UTF-8`)
  }
  t.equal(await state(), before)
})

await t.test('a body over 16 KiB is refused before it is looked at, in one piece or in chunks', async (t) => {
  for (const [operation, body] of bodies) {
    const raw = JSON.stringify({ ...body, padding: 'x'.repeat(16 * 1024) })
    isClear(
      t,
      await call(service, operation, { bearer, raw, headers: { 'content-type': 'application/json' } }),
      413,
      operation
    )
  }
  const endless = new ReadableStream({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode('x'.repeat(64 * 1024)))
    }
  })
  const request = fetch(`${service.url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: endless,
    duplex: 'half'
  })
  const outcome = await request.then(
    (answer) => answer.status,
    () => 'cut off'
  )
  t.ok(outcome === 413 || outcome === 'cut off', String(outcome))
  t.equal((await call(service, 'GET /health/live')).status, 200)
})

await t.test('an overlong password is refused without a hash, at login too', async (t) => {
  const weigh = async (password: string) =>
    (await call(service, 'POST /auth/login', { json: { username: person.username, password, transport: 'bearer' } }))
      .status
  t.equal(await weigh('é'.repeat(129)), 400)
  t.equal(await weigh('😀'.repeat(129)), 400)
  t.equal(await weigh('😀'.repeat(128)), 401, 'code points count, and 128 are fine')
})

await t.test('one account a name, however it is typed', async (t) => {
  t.equal((await call(service, 'POST /auth/registration', { json: { ...newcomer, username: 'Alice' } })).status, 201)
  const taken = ['alice', 'ALICE', 'aLiCe', 'ａｌｉｃｅ', 'Ａlice', 'ali\u217de']
  const refused = [
    ...[' alice', 'alice ', 'al ice', 'alic\u00e9', 'alice\u0301', 'al\u0131ce', 'AL\u0130CE', 'aliß', 'ali\u1e9e'],
    ...['al\u200bice', '\u202ealice', '\u0430lice', 'ali\u03f2e', 'al', 'a'.repeat(33), '.alice', 'alice-', 'al@ice']
  ]
  for (const [n, username] of [...taken, ...refused].entries()) {
    const answer = await call(service, 'POST /auth/registration', {
      json: { ...newcomer, username, email: `alice${String(n)}@example.com` }
    })
    isClear(t, answer, n < taken.length ? 409 : 400, JSON.stringify(username))
  }
  const other = await call(service, 'POST /auth/registration', {
    json: { ...newcomer, username: 'someone-else', email: 'NEWCOMER@Example.com' }
  })
  t.match(other.body, { code: 'email_taken' })
  const rows = await sql(service, "select username from users where username_key like 'al%'")
  t.same(rows, [{ username: 'Alice' }])
  for (const username of ['ALICE', 'ａｌｉｃｅ', 'newcomer@EXAMPLE.com']) {
    const answer = await call(service, 'POST /auth/login', { json: { username, password: newcomer.password } })
    t.equal(answer.status, 200, username)
  }
})

await t.test('prototypes cannot be reached, and of duplicate keys the last counts', async (t) => {
  const send = (raw: string) =>
    call(service, 'POST /auth/login', { raw, headers: { 'content-type': 'application/json' } })
  for (const key of ['__proto__', '\\u005f_proto__', 'constructor']) {
    isClear(t, await send(`{"username":"alice","password":"x","${key}":{"prototype":{"isAdmin":true}}}`), 400, key)
  }
  const login = await send(
    `{"username":"nobody","username":"alice","password":"${newcomer.password}","transport":"bearer"}`
  )
  t.equal(login.status, 200)
})

await t.test('bodies are JSON in UTF-8 and nothing else', async (t) => {
  const before = await state()
  const refused: Record<string, string>[] = [
    ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx'],
    ...['json', 'application/json\ta', 'application/json; charset=utf-16', 'application/json;charset=latin1', '*/*']
  ].map((type) => ({ 'content-type': type }))
  for (const headers of [...refused, { 'content-type': 'application/json', 'content-encoding': 'gzip' }]) {
    for (const [operation, body] of bodies) {
      const answer = await call(service, operation, { bearer, raw: JSON.stringify(body), headers })
      isClear(t, answer, 415, `${operation} ${JSON.stringify(headers)}`)
    }
  }
  t.equal(await state(), before)
  const charset = { 'content-type': 'Application/JSON; charset=UTF-8' }
  const [operation, body] = bodies[1]!
  t.equal((await call(service, operation, { raw: JSON.stringify(body), headers: charset })).status, 200)
})

await t.test('SQL in a field is text', async (t) => {
  const before = await state()
  for (const attempt of ["' OR 1=1--", '"; drop table users', '\\', '%_', "'; select pg_sleep(5)--", '${jndi:x}']) {
    const started = performance.now()
    const login = await call(service, 'POST /auth/login', { json: { username: attempt, password: attempt } })
    t.equal(login.status, 401, attempt)
    t.ok(performance.now() - started < 4000)
    isClear(
      t,
      await call(service, 'POST /auth/registration', { json: { ...newcomer, username: attempt } }),
      400,
      attempt
    )
    const patched = await call(service, 'PATCH /auth/me', { bearer, json: { first_name: attempt } })
    t.match(patched.body, { first_name: attempt })
  }
  await call(service, 'PATCH /auth/me', { bearer, json: { first_name: null } })
  t.equal((await state()).replace(/"updated_at":"[^"]*"/g, ''), before.replace(/"updated_at":"[^"]*"/g, ''))
})

await t.test('depth and breadth are refused quickly', async (t) => {
  const deep = '['.repeat(7000) + ']'.repeat(7000)
  const broad = `{${Array.from({ length: 1500 }, (_, n) => `"${String(n)}":1`).join(',')}}`
  for (const raw of [deep, broad, `{"username":${deep},"password":"x"}`]) {
    isClear(
      t,
      await call(service, 'POST /auth/login', { raw, headers: { 'content-type': 'application/json' } }),
      400,
      raw.slice(0, 10)
    )
  }
})

await t.test(
  'the document tells the rules of every text, and they hold for the form in which it is meant',
  async (t) => {
    const { components } = (await call(service, 'GET /openapi.json')).body as {
      components: { schemas: Record<string, { properties: Record<string, Rules> }> }
    }
    const rulesOf = (name: string, property: string) => components.schemas[name]?.properties[property] ?? {}
    t.match(rulesOf('CreateUser', 'username'), { minLength: 3, maxLength: 32, pattern: '^[A-Za-z0-9]' })
    for (const [body, property] of [
      ['CreateUser', 'password'],
      ['ChangePassword', 'new_password'],
      ['ResetPassword', 'new_password']
    ] as const) {
      t.match(rulesOf(body, property), { minLength: 8, maxLength: 128 }, `${body} ${property}`)
    }
    t.match(rulesOf('LoginUser', 'password'), { minLength: 1 }, 'a password from before a setting was raised logs in')
    for (const [name, { properties = {} }] of Object.entries(components.schemas)) {
      for (const [property, rules] of Object.entries(properties)) {
        if (rules.format === 'text')
          t.ok(rules.pattern !== undefined && !new RegExp(rules.pattern, 'u').test('a\u0007'), `${name} ${property}`)
      }
    }

    const register = async (username: string, password: string) => {
      const json = { username, email: `${String(count++)}@texts.example`, password }
      return (await call(service, 'POST /auth/registration', { json })).status
    }
    let count = 0
    t.equal(await register('㎑', 'a long and quiet evening'), 201, 'three letters in one')
    t.equal(await register('ﬃ'.repeat(11), 'a long and quiet evening'), 400, 'thirty-three letters in eleven')
    t.equal(await register('wide－name', 'a long and quiet evening'), 201)
    const sevenTwice = 'éèêëñüö'.normalize('NFD')
    t.equal(await register('seven-letters', sevenTwice), 400, 'seven characters, in whatever form')
    t.equal(
      await register('many-letters', 'éè'.repeat(50).normalize('NFD')),
      201,
      'a hundred characters in two hundred'
    )
    t.equal(await register('more-letters', 'éè'.repeat(65).normalize('NFD')), 400)
  }
)

await t.test('every wrong property is named, but no more of them than somebody reads', async (t) => {
  const register = async (json: object) => {
    const answer = await call(service, 'POST /auth/registration', { json })
    isClear(t, answer, 400, 'a body with faults')
    return answer.body as { detail: string; errors: { path: string; message: string }[] }
  }
  const few = await register({ username: 7, email: 'nobody', password: 'a\u0000b', is_admin: true })
  const paths = ['/body/email', '/body/is_admin', '/body/password', '/body/username']
  t.same([...new Set(few.errors.map(({ path }) => path))].sort(), paths)
  for (const path of paths) t.match(few.detail, path)
  t.same((await register({})).errors.map(({ path }) => path).sort(), [
    '/body/email',
    '/body/password',
    '/body/username'
  ])

  const many = await register(Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`p${String(n)}`, n])))
  t.equal(many.errors.length, 20)
  t.match(many.detail, /; and 998 more$/)
  const long = await register(
    Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`${String(n)}${'x'.repeat(200)}`, n]))
  )
  t.ok(long.detail.length < 1000, 'a readable detail')
})

await t.test('a number or a boolean in a path or a query has one spelling', async (t) => {
  const { token } = await registerAdmin(service)
  const victim = await registerPerson(service)
  const id = String(victim.id)
  const ids = [
    ...[`${id}.0`, `+${id}`, `%2B${id}`, `0x${victim.id.toString(16)}`, `%0a${id}`, `${id}%0a`, `%20${id}`, `${id}%20`],
    ...[`${String(victim.id / 10)}e1`, `${id}e0`, `0${id}`, `-${id}`, `${id}%00`, `%EF%BC%91`, `${id},${id}`, `${id}n`],
    ...['0', '2147483648', '99999999999999999999', '1e400', 'NaN', 'Infinity', 'true', 'null']
  ]
  for (const spelled of ids) {
    for (const method of ['GET', 'DELETE']) {
      for (const rest of ['', '/sessions']) {
        const answer = await call(service, `${method} /admin/users/${spelled}${rest}`, { bearer: token })
        isClear(t, answer, 400, `${method} ${spelled}${rest}`)
      }
    }
    isClear(t, await call(service, `PATCH /admin/users/${spelled}`, { bearer: token, json: {} }), 400, spelled)
    isClear(t, await call(service, `GET /admin/audit-events?user_id=${spelled}`, { bearer: token }), 400, spelled)
  }
  for (const limit of ['1e1', '+5', '%2B5', '0x5', '5.0', '05', '%205', '5%20', '', 'true', '5&limit=6', '0b1', '５']) {
    for (const list of ['users', 'audit-events', 'clients'])
      isClear(t, await call(service, `GET /admin/${list}?limit=${limit}`, { bearer: token }), 400, `${list} ${limit}`)
  }
  t.equal((await call(service, `GET /admin/users/${id}`, { bearer: token })).status, 200, 'nobody was deleted')
  t.equal((await call(service, `GET /admin/users?limit=5`, { bearer: token })).status, 200)
  t.equal((await call(service, `GET /auth/me`, { bearer: victim.token })).status, 200, 'and no session ended')
})

await t.test('paths and parameters that mean nothing get words, not faults', async (t) => {
  for (const path of ['%00', '%zz', 'x'.repeat(200), "'%20or%201=1", '..%2f..', '-1'] as const) {
    const answer = await call(service, `DELETE /auth/sessions/${path}`, { bearer })
    t.ok([400, 404, 414].includes(answer.status), `${path}: ${String(answer.status)}`)
    t.match(answer.headers.get('content-type'), 'application/problem+json')
  }
  t.equal((await call(service, 'GET /auth/me?access_token=x&access_token=y', { bearer })).status, 200)
})

await t.test('malformed JSON and empty bodies are told apart from wrong ones', async (t) => {
  for (const raw of ['', '{', '{"a":}', 'null x', "{'username':'a'}"]) {
    const answer = await call(service, 'POST /auth/login', { raw, headers: { 'content-type': 'application/json' } })
    isClear(t, answer, 400, JSON.stringify(raw))
    t.match(answer.body, { code: 'validation_failed', detail: /JSON/ })
  }
})
