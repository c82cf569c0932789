import t from 'tap'
import { call, logIn } from '../support/client.ts'
import { gatehouse } from '../support/command.ts'
import { createDatabase, createEmptyDatabase, createFolder, kinds, sql, startService } from '../support/service.ts'

const password = 'a long and quiet evening'
const bootstrap = {
  BOOTSTRAP_ADMIN_USERNAME: 'root-admin',
  BOOTSTRAP_ADMIN_EMAIL: 'admin@example.com',
  BOOTSTRAP_ADMIN_PASSWORD: password
}

for (const kind of kinds) {
  await t.test(`a first start makes the administrator that the environment names, on ${kind}`, async (t) => {
    const service = await startService(t, bootstrap, kind)
    const token = await logIn(service, { username: 'root-admin', password })
    const me = await call(service, 'GET /auth/me', { bearer: token })
    t.match(me.body, { username: 'root-admin', is_reader: true, is_author: false, is_admin: true })
    t.notMatch(service.log.join(''), password)
  })
}

await t.test('a later start makes no other and changes nothing, whatever the environment names then', async (t) => {
  const service = await startService(t, bootstrap)
  const before = await sql(service, 'select * from users')
  for (const change of [{}, { BOOTSTRAP_ADMIN_USERNAME: 'second', BOOTSTRAP_ADMIN_EMAIL: 'second@example.com' }]) {
    await startService(t, { ...service.env, ...change, BOOTSTRAP_ADMIN_PASSWORD: 'another long and quiet evening' })
  }
  t.strictSame(await sql(service, 'select * from users'), before)
})

await t.test('a start makes one where those that are there cannot log in, unless it is one of them', async (t) => {
  const env = { ...bootstrap, DATABASE_URL: await createDatabase(t), KEYS_DIR: createFolder(t) }
  const insert = (name: string) =>
    sql(
      { env },
      `insert into users (username, username_key, email, email_key, is_admin) values ($1, $1, $2, $2, true)`,
      [name, `${name}@example.com`]
    )
  await insert('root-admin')
  await startService(t, env)
  const admins = () => sql<{ username: string }>({ env }, 'select username from users where is_admin order by id')
  t.match(await admins(), [{ username: 'root-admin' }], 'it is invited, and sets a password by its link')
  await sql({ env }, 'delete from users')
  await insert('invited')
  await startService(t, env)
  t.match(await admins(), [{ username: 'invited' }, { username: 'root-admin' }])
})

await t.test('no start makes an administrator unless it is told to', async (t) => {
  const service = await startService(t)
  t.strictSame(await sql(service, 'select * from users'), [])
})

await t.test('four starters at once make one administrator', async (t) => {
  const env = { ...bootstrap, DATABASE_URL: await createEmptyDatabase(t), KEYS_DIR: createFolder(t) }
  await Promise.all([1, 2, 3, 4].map(() => startService(t, env)))
  t.strictSame(await sql({ env }, 'select username, is_admin from users'), [{ username: 'root-admin', is_admin: true }])
})

await t.test('a start with a refused administrator fails with the reason, and makes none', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t) }
  const refusals: [setting: Record<string, string>, reason: RegExp][] = [
    [{ BOOTSTRAP_ADMIN_PASSWORD: 'password123' }, /BOOTSTRAP_ADMIN_PASSWORD is too common/],
    [{ BOOTSTRAP_ADMIN_PASSWORD: 'seven77' }, /BOOTSTRAP_ADMIN_PASSWORD must have at least 8 characters/],
    [{ BOOTSTRAP_ADMIN_PASSWORD: 'quiet '.repeat(22) }, /BOOTSTRAP_ADMIN_PASSWORD must have at most 128 characters/],
    [
      { BOOTSTRAP_ADMIN_PASSWORD: `${password}\u0007` },
      /BOOTSTRAP_ADMIN_PASSWORD holds a line break or another control character/
    ],
    [{ BOOTSTRAP_ADMIN_PASSWORD: 'my root-admin account' }, /BOOTSTRAP_ADMIN_PASSWORD must not contain the username/],
    [{ BOOTSTRAP_ADMIN_USERNAME: 'root admin' }, /BOOTSTRAP_ADMIN_USERNAME must have 3 to 32 characters/],
    [{ BOOTSTRAP_ADMIN_EMAIL: 'admin' }, /BOOTSTRAP_ADMIN_EMAIL must be a valid email/]
  ]
  for (const [setting, reason] of refusals) {
    await t.rejects(startService(t, { ...env, ...bootstrap, ...setting }), { message: reason })
  }
  t.strictSame(await sql({ env }, 'select * from users'), [])

  const { status, stderr } = await gatehouse(t, ['serve'], {
    env: { ...env, ...bootstrap, BOOTSTRAP_ADMIN_PASSWORD: 'password123' }
  })
  t.equal(status, 1)
  t.match(stderr, /^gatehouse: The settings are not valid:\n {2}BOOTSTRAP_ADMIN_PASSWORD is too common[^\n]+\n$/)
  t.notMatch(stderr, 'password123')
})
