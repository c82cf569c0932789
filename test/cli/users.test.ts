import t from 'tap'
import { call, logIn, registerPerson } from '../support/client.ts'
import { gatehouse } from '../support/command.ts'
import { eventually, eventuallyAnswers } from '../support/eventually.ts'
import { startMailServer, tokenIn } from '../support/mail-server.ts'
import { createDatabase, createEmptyDatabase, sql, startService } from '../support/service.ts'

const password = 'a long and quiet evening'

await t.test('users create makes a user who can log in, with the password from standard input', async (t) => {
  const service = await startService(t)
  const made = await gatehouse(
    t,
    [
      'users',
      'create',
      '--username',
      'Ada',
      '--email',
      'ada@example.com',
      '--role',
      'author',
      '--role',
      'admin',
      '--json'
    ],
    { env: { DATABASE_URL: service.env.DATABASE_URL! }, input: `${password}\r\n` }
  )
  t.match(made, { status: 0, stderr: '' })
  t.match(JSON.parse(made.stdout), {
    username: 'Ada',
    email: 'ada@example.com',
    is_reader: false,
    is_author: true,
    is_admin: true,
    is_disabled: false
  })
  t.notMatch(made.stdout, /argon2|password/)
  const token = await logIn(service, { username: 'ada', password })
  t.equal((await call(service, 'GET /authz/admin', { bearer: token })).status, 204)
})

await t.test('users create makes a reader, and says so in words, unless it is told otherwise', async (t) => {
  const made = await gatehouse(t, ['users', 'create', '--username', 'bob', '--email', 'bob@example.com'], {
    env: { DATABASE_URL: await createDatabase(t, 'embedded') },
    input: password
  })
  t.strictSame(made, { status: 0, stdout: 'Created bob <bob@example.com>, reader\n', stderr: '' })
})

await t.test('users create refuses, changes nothing and says why', async (t) => {
  const DATABASE_URL = await createDatabase(t)
  const create = (username: string, email: string, input: string, ...more: string[]) =>
    gatehouse(t, ['users', 'create', '--username', username, '--email', email, ...more], {
      env: { DATABASE_URL },
      input
    })
  await insertUsers(DATABASE_URL, 'ada')
  const refusals: [words: string, ending: ReturnType<typeof create>, status?: number][] = [
    ['User with this username already registered', create('ADA', 'other@example.com', password)],
    ['email must be a valid email', create('bob', 'bob', password)],
    ['password must have at least 8 characters', create('bob', 'bob@example.com', 'short')],
    ['There is no password on standard input', create('bob', 'bob@example.com', ''), 2],
    ['Allowed choices are reader, author, admin', create('bob', 'bob@example.com', password, '--role', 'owner'), 2],
    ["unknown option '--password'", create('bob', 'bob@example.com', password, '--password', password), 2]
  ]
  for (const [words, ending, expected = 1] of refusals) {
    const { status, stdout, stderr } = await ending
    t.equal(status, expected, words)
    t.equal(stdout, '', words)
    t.match(stderr, words)
    t.equal(stderr.trimEnd().split('\n').length, 1, `one line: ${stderr}`)
  }
  const [count] = await sql<{ count: string }>({ env: { DATABASE_URL } }, 'select count(*) from users')
  t.equal(count?.count, '1')
})

await t.test('users list prints every user, over more than one page', async (t) => {
  const DATABASE_URL = await createDatabase(t)
  const names = Array.from({ length: 1100 }, (_, index) => `user${String(index + 1)}`)
  await insertUsers(DATABASE_URL, ...names)
  const asJson = await gatehouse(t, ['users', 'list', '--json'], { env: { DATABASE_URL } })
  t.equal(asJson.status, 0)
  const users = JSON.parse(asJson.stdout) as { username: string }[]
  t.strictSame(
    users.map((user) => user.username),
    names
  )
  const asText = await gatehouse(t, ['users', 'list'], { env: { DATABASE_URL } })
  t.equal(asText.stdout.trimEnd().split('\n').length, 1101)
  t.match(asText.stdout, /^ID {3}USERNAME {2}EMAIL {16}ROLES {3}STATUS\n1 {4}user1 /)
  t.match(asText.stdout, /\n1100 {2}user1100 {2,}user1100@example\.com {2,}reader {2}enabled\n$/)
})

await t.test('users list of nobody is an empty array', async (t) => {
  const { stdout } = await gatehouse(t, ['users', 'list', '--json'], { env: { DATABASE_URL: await createDatabase(t) } })
  t.strictSame(JSON.parse(stdout), [])
})

await t.test('users grant and revoke change a role, and the tokens of before become void', async (t) => {
  const service = await startService(t)
  const env = { DATABASE_URL: service.env.DATABASE_URL! }
  const ada = await registerPerson(service, 'ada')

  const granted = await gatehouse(t, ['users', 'grant', ada.username.toUpperCase(), 'author'], { env })
  t.strictSame(granted, {
    status: 0,
    stdout: `Now ${ada.username} <${ada.email}>, reader and author\n`,
    stderr: ''
  })
  await eventuallyAnswers(t, 401, () => call(service, 'GET /auth/me', { bearer: ada.token }))
  t.equal((await call(service, 'GET /authz/author', { bearer: await logIn(service, ada) })).status, 204)

  const [revoked, unknown] = await Promise.all([
    gatehouse(t, ['users', 'revoke', ada.username, 'author', '--json'], { env }),
    gatehouse(t, ['users', 'grant', 'nobody', 'author'], { env })
  ])
  t.match(JSON.parse(revoked.stdout), { username: ada.username, is_reader: true, is_author: false })
  t.strictSame(unknown, { status: 1, stdout: '', stderr: 'gatehouse: There is no user nobody\n' })
})

await t.test('users disable keeps a user out at once, and enable lets them in again', async (t) => {
  const service = await startService(t)
  const env = { DATABASE_URL: service.env.DATABASE_URL! }
  const ada = await registerPerson(service, 'ada')
  const words = `${ada.username} <${ada.email}>, reader\n`
  t.strictSame(await gatehouse(t, ['users', 'disable', ada.username], { env }), {
    status: 0,
    stdout: `Disabled ${words}`,
    stderr: ''
  })
  await eventuallyAnswers(t, 401, () => call(service, 'GET /auth/me', { bearer: ada.token }))
  const json = { username: ada.username, password: ada.password }
  await eventuallyAnswers(t, 401, () => call(service, 'POST /auth/login', { json }))
  const enabled = await gatehouse(t, ['users', 'enable', ada.username, '--json'], { env })
  t.match(JSON.parse(enabled.stdout), { username: ada.username, is_disabled: false })
  t.equal((await call(service, 'GET /auth/me', { bearer: await logIn(service, ada) })).status, 200)
  t.match(await gatehouse(t, ['users', 'disable', 'nobody'], { env }), { status: 1, stderr: /There is no user nobody/ })
})

await t.test('users revoke keeps the last administrator, and no other', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t) }
  await insertUsers(env.DATABASE_URL, 'ada', 'bob')
  await sql({ env }, "update users set is_admin = true, password = 'a hash'")
  t.match(await gatehouse(t, ['users', 'revoke', 'ada', 'admin'], { env }), { status: 0 })
  t.strictSame(await gatehouse(t, ['users', 'revoke', 'bob', 'admin'], { env }), {
    status: 1,
    stdout: '',
    stderr: 'gatehouse: The last administrator cannot be removed: make another user admin first\n'
  })
})

await t.test('a database without the schema is not used, and the command that brings it is named', async (t) => {
  const env = { DATABASE_URL: await createEmptyDatabase(t) }
  const refused = await gatehouse(t, ['users', 'list'], { env })
  t.match(refused, { status: 1, stderr: 'run "gatehouse migrate" first\n' })
})

function insertUsers(DATABASE_URL: string, ...names: string[]): Promise<unknown> {
  return sql(
    { env: { DATABASE_URL } },
    `insert into users (username, username_key, email, email_key)
     select name, name, name || '@example.com', name || '@example.com' from string_to_table($1, ',') name`,
    [names.join(',')]
  )
}

await t.test('users list narrows, and goes on after a user', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t) }
  await insertUsers(env.DATABASE_URL, 'ada', 'bob', 'boris', 'cleo', 'dora')
  await sql({ env }, "update users set is_admin = username in ('bob', 'dora'), is_disabled = username = 'dora'")
  const list = async (...args: string[]) => {
    const { status, stdout, stderr } = await gatehouse(t, ['users', 'list', '--json', ...args], { env })
    t.strictSame([status, stderr], [0, ''])
    return (JSON.parse(stdout) as { username: string }[]).map(({ username }) => username).join(' ')
  }
  t.equal(await list('--search', 'BO'), 'bob boris')
  t.equal(await list('--role', 'admin'), 'bob dora')
  t.equal(await list('--role', 'admin', '--status', 'enabled'), 'bob')
  t.equal(await list('--limit', '2'), 'ada bob')
  t.equal(await list('--limit', '2', '--after', 'bob@example.com'), 'boris cleo')
  t.equal(await list('--after', 'dora'), '')
  t.equal(await list('--limit', '0'), '')
  t.match(await gatehouse(t, ['users', 'list', '--after', 'nobody'], { env }), {
    status: 1,
    stderr: 'gatehouse: There is no user nobody\n'
  })
})

await t.test('a user is named by username, address or id, and a number alone is a username', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t) }
  await insertUsers(env.DATABASE_URL, 'ada', 'bob', '001')
  const shown = async (named: string) => {
    const { stdout, stderr } = await gatehouse(t, ['users', 'show', named, '--json'], { env })
    return stdout === ''
      ? (JSON.parse(stderr) as { error: { message: string } }).error.message
      : (JSON.parse(stdout) as { id: number }).id
  }
  const expected: [named: string, id: number | string][] = [
    ['ADA', 1],
    ['Bob@Example.com', 2],
    ['id:2', 2],
    ['001', 3],
    ['2', 'There is no user 2: an id is written id:2'],
    ['id:99', 'There is no user id:99'],
    ['id:99999999999999999999', 'There is no user id:99999999999999999999'],
    ['id:-1', 'There is no user id:-1'],
    ['nobody@example.com', 'There is no user nobody@example.com'],
    ['', 'There is no user ""']
  ]
  for (const [named, outcome] of expected) t.equal(await shown(named), outcome, named)
})

await t.test('users show tells in words what is known of a user, and nothing of the password', async (t) => {
  const service = await startService(t)
  const ada = await registerPerson(service, 'ada')
  const { status, stdout } = await gatehouse(t, ['users', 'show', ada.username], {
    env: { DATABASE_URL: service.env.DATABASE_URL! }
  })
  t.equal(status, 0)
  t.match(stdout, new RegExp(`^id +1\nusername +${ada.username}\nemail +${ada.email} \\(not verified\\)\n`))
  t.match(stdout, /\nroles +reader\nstatus +enabled\npassword +set\ncreated +\S+Z\nlast login +\S+Z\n$/)
  t.notMatch(stdout, 'argon2')
})

await t.test('users delete asks first, and what it deletes is gone at once', async (t) => {
  const service = await startService(t)
  const env = { DATABASE_URL: service.env.DATABASE_URL! }
  const ada = await registerPerson(service, 'ada')
  t.match(await gatehouse(t, ['users', 'delete', ada.username], { env, input: 'y\n' }), {
    status: 2,
    stdout: '',
    stderr: /asks for confirmation: add --yes, or run it in a terminal\n$/
  })
  t.equal((await call(service, 'GET /auth/me', { bearer: ada.token })).status, 200)
  t.strictSame(await gatehouse(t, ['users', 'delete', ada.username, '--yes'], { env }), {
    status: 0,
    stdout: `Deleted ${ada.username} <${ada.email}>\n`,
    stderr: ''
  })
  await eventuallyAnswers(t, 401, () => call(service, 'GET /auth/me', { bearer: ada.token }))
  const bob = await registerPerson(service, 'bob')
  const twice = ['users', 'delete', bob.username, '--yes']
  const endings = await Promise.all([gatehouse(t, twice, { env }), gatehouse(t, twice, { env })])
  t.match(
    endings.sort((a, b) => Number(a.status) - Number(b.status)),
    [{ status: 0 }, { status: 1, stdout: '', stderr: `gatehouse: There is no user ${bob.username}\n` }],
    'of two at once one deletes'
  )
})

await t.test(
  'users set-password ends every session and the wait after failures, and the user is told by mail',
  async (t) => {
    const mail = await startMailServer(t)
    const service = await startService(t, { ...mail.env, RATE_LIMIT: 'on' })
    const env = { DATABASE_URL: service.env.DATABASE_URL! }
    const ada = await registerPerson(service, 'ada')
    const wrong = { username: ada.username, password: 'not the password at all' }
    for (let n = 0; n < 6; n++) await call(service, 'POST /auth/login', { json: wrong })
    const json = { username: ada.username, password }
    t.equal((await call(service, 'POST /auth/login', { json })).status, 429, 'there is a wait')

    const set = (...input: string[]) =>
      gatehouse(t, ['users', 'set-password', ada.email], { env, input: input.join('') })
    t.match(await set('short\n'), { status: 1, stderr: 'gatehouse: password must have at least 8 characters\n' })
    t.match(await set(), { status: 2, stderr: /There is no password on standard input/ })
    t.equal((await call(service, 'GET /auth/me', { bearer: ada.token })).status, 200, 'nothing has changed yet')

    t.strictSame(await set(password, '\n', 'another line'), {
      status: 0,
      stdout: `Set the password of ${ada.username} <${ada.email}>: every session has ended\n`,
      stderr: ''
    })
    await eventuallyAnswers(t, 401, () => call(service, 'GET /auth/me', { bearer: ada.token }))
    t.ok(await logIn(service, json))
    const isNotice = ({ subject }: { subject?: string | undefined }) => /password/i.test(subject ?? '')
    await eventually(t, 'a mail tells of it', async () => mail.mailsTo(ada.email).some(isNotice))
    const [event] = await sql(
      service,
      "select user_id, actor_id from audit_events where type = 'user.password_changed'"
    )
    t.match(event, { user_id: 1, actor_id: null })
  }
)

await t.test('users send-reset has the running service mail a link that sets another password', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const env = { DATABASE_URL: service.env.DATABASE_URL! }
  const ada = await registerPerson(service, 'ada')
  const sent = await gatehouse(t, ['users', 'send-reset', ada.username, '--language', 'ru'], { env })
  t.strictSame(sent, {
    status: 0,
    stdout: `A mail to ${ada.email} waits for the running service, which writes and sends it\n`,
    stderr: ''
  })
  const isReset = ({ text }: { text?: string | undefined }) => text?.includes('/reset-password#token=') === true
  await eventually(t, 'the link comes', async () => mail.mails.some(isReset))
  const letter = mail.mails.find(isReset)!
  t.match(letter.subject, /[а-я]/)
  const reset = { token: tokenIn(letter), new_password: password }
  t.equal((await call(service, 'POST /auth/password/reset', { json: reset })).status, 204)
  t.ok(await logIn(service, { username: ada.username, password }))

  await gatehouse(t, ['users', 'disable', ada.username], { env })
  t.match(await gatehouse(t, ['users', 'send-reset', ada.username], { env }), {
    status: 1,
    stderr: `gatehouse: ${ada.username} is disabled and gets no mail: "gatehouse users enable ${ada.username}" first\n`
  })
})
