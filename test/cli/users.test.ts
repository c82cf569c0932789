import t from 'tap'
import { call, logIn, registerPerson } from '../support/client.ts'
import { gatehouse } from '../support/command.ts'
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
  const refusals: [words: string, ending: ReturnType<typeof create>][] = [
    ['User with this username already registered', create('ADA', 'other@example.com', password)],
    ['email must be a valid email', create('bob', 'bob', password)],
    ['password must have at least 8 characters', create('bob', 'bob@example.com', 'short')],
    ['There is no password on standard input', create('bob', 'bob@example.com', '')],
    ['Allowed choices are reader, author, admin', create('bob', 'bob@example.com', password, '--role', 'owner')],
    ["unknown option '--password'", create('bob', 'bob@example.com', password, '--password', password)]
  ]
  for (const [words, ending] of refusals) {
    const { status, stdout, stderr } = await ending
    t.equal(status, 1, words)
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
  t.equal(asText.stdout.trimEnd().split('\n').length, 1100)
  t.match(asText.stdout, '\tuser1100\tuser1100@example.com\treader\tenabled\n')
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
  t.equal((await call(service, 'GET /auth/me', { bearer: ada.token })).status, 401)
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
  t.equal((await call(service, 'GET /auth/me', { bearer: ada.token })).status, 401)
  const json = { username: ada.username, password: ada.password }
  t.equal((await call(service, 'POST /auth/login', { json })).status, 401)
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
