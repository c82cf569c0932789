import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashSync } from '@node-rs/bcrypt'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { call, cookiesOf } from '../support/client.ts'
import { gatehouse } from '../support/command.ts'
import { forge, partsOf } from '../support/forge.ts'
import { createEmptyDatabase, createFolder, sql, startService } from '../support/service.ts'

const page = readFileSync(new URL('../../docs/moving-from-the-tutorial.md', import.meta.url), 'utf8')
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block)
const [exportSql = '', countSql = ''] = blocks('sql')
const commands = blocks('sh').flatMap((block) => block.split('\n').filter((line) => line.startsWith('./gatehouse ')))

const password = 'a long and quiet evening'

await t.test("the tutorial's users, keys and clients come across as the page says", async (t) => {
  const cwd = createFolder(t)
  writeFileSync(join(cwd, 'users.jsonl'), await exportFromTutorial(t))
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const env = {
    DATABASE_URL: await createEmptyDatabase(t),
    JWT_PRIVATE_KEY: join(cwd, 'jwt-private.pem'),
    JWT_PUBLIC_KEY: join(cwd, 'jwt-public.pem')
  }
  writeFileSync(env.JWT_PRIVATE_KEY, keys.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(env.JWT_PUBLIC_KEY, keys.publicKey.export({ type: 'spki', format: 'pem' }))

  const endings = []
  for (const command of commands) {
    endings.push(await gatehouse(t, command.split(' ').slice(1), { env: { DATABASE_URL: env.DATABASE_URL }, cwd }))
  }
  const faults = [
    'line 3: username must have 3 to 32 characters',
    'line 4: username ALICE belongs to a user with another email',
    'line 5: email alice@example.com belongs to a user with another username'
  ].join('[^\\n]*\\n')
  t.match(endings, [
    { status: 0 },
    { status: 1, stdout: 'Nothing was changed; it would be: 2 imported, 0 already there, 3 refused\n' },
    { status: 1, stdout: '2 imported, 0 already there, 3 refused\n' }
  ])
  for (const { stderr } of endings.slice(1)) t.match(stderr.split('\n').toSorted().join('\n'), new RegExp(faults))
  for (const fault of ['username must have 3 to 32 characters…', 'username … belongs to a user with another email']) {
    t.ok(page.includes(`\`${fault}\``), fault)
  }

  const service = await startService(t, env)
  const login = await call(service, 'POST /auth/login', { json: { username: 'alice', password } })
  t.equal(login.status, 200)
  t.match(login.body, { token_type: 'Bearer', access_token: /^ey/ })
  const cookie = cookiesOf(login)
  const me = await call(service, 'GET /auth/me', { cookie })
  t.match(me.body, {
    id: 41,
    username: 'alice',
    first_name: 'Alice "Al" \\ Ω',
    second_name: null,
    email: 'alice@example.com',
    is_reader: true,
    is_author: true,
    is_admin: false,
    created_at: '2024-05-01T10:00:00.123Z',
    updated_at: '2024-06-01T10:00:00.000Z'
  })
  t.equal((await call(service, 'GET /authz/author', { cookie })).status, 204)
  t.equal((await call(service, 'GET /authz/admin', { cookie })).status, 403)
  t.match(await sql(service, 'select password from users where id = 41'), [{ password: /^\$argon2id\$/ }])
  t.match(await sql(service, countSql), [{ count: '1' }], 'bob has not logged in since')

  await t.test('a token of the tutorial is refused, in the words of the page', async (t) => {
    const roles = { is_reader: true, is_author: true, is_admin: false }
    const claims: Record<string, unknown> = { sub: '41', username: 'alice', ...roles, exp: 4e9, type: 'access' }
    const old = forge({ alg: 'RS256', typ: 'JWT' }, claims, (input) =>
      sign('sha256', Buffer.from(input), keys.privateKey)
    )
    const refused = await call(service, 'GET /auth/me', { cookie: `access_token=${old}` })
    t.equal(refused.status, 401)
    t.match(refused.body, { detail: 'Invalid token' })
    t.ok(page.includes('are refused** with `401` and `Invalid token`'))
  })

  await t.test("a token of Gatehouse is good under the tutorial's public key", async (t) => {
    const token = (login.body as { access_token: string }).access_token
    const [header, payload, signature = ''] = token.split('.')
    const input = Buffer.from(`${String(header)}.${String(payload)}`)
    t.ok(verify('sha256', input, keys.publicKey, Buffer.from(signature, 'base64url')))
    t.match(partsOf(token), { header: { alg: 'RS256', typ: 'at+jwt' }, payload: { sub: '41', aud: 'gatehouse' } })
  })

  await t.test('who registers now is numbered after them', async (t) => {
    await call(service, 'POST /auth/registration', {
      json: { username: 'carol', email: 'carol@example.com', password }
    })
    t.match(await sql(service, "select id from users where username = 'carol'"), [{ id: 58 }])
  })
})

/** The tutorial's table with some users, and what psql prints of it. */
async function exportFromTutorial(t: Test): Promise<string> {
  const client = postgres(await createEmptyDatabase(t), { max: 1, onnotice: () => undefined })
  const hash = hashSync(password, 4)
  await client.unsafe(`create table users (
    username varchar not null, first_name varchar, second_name varchar, email varchar not null, password varchar not null,
    is_reader boolean not null, is_author boolean not null, is_admin boolean not null,
    id serial primary key, created_at timestamp not null default now(), updated_at timestamp not null default now())`)
  const add = (id: number, username: string, email: string) => client`
    insert into users (id, username, first_name, email, password, is_reader, is_author, is_admin, created_at, updated_at)
    values (${id}, ${username}, 'Alice "Al" \\ Ω', ${email}, ${hash}, true, true, false,
            '2024-05-01 10:00:00.123456', '2024-06-01 10:00:00')`
  await add(41, 'alice', 'alice@example.com')
  await add(42, 'bob', 'bob@example.com')
  await add(55, 'Алиса', 'alisa@example.com')
  await add(56, 'ALICE', 'alice2@example.com')
  await add(57, 'alice2', 'alice@example.com')
  const results = (await client.unsafe(exportSql).simple()) as unknown as { row_to_json: unknown }[][]
  // As text, which is what psql has: the driver would parse it.
  const rows = results.flat().map((row) => JSON.stringify(row.row_to_json))
  await client.end()
  return `${rows.join('\n')}\n`
}
