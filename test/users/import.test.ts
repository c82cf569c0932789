import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/database/open.ts'
import { readFirebaseParameters } from '../../src/passwords/firebase.ts'
import { type ImportCounts, importUsers } from '../../src/operations/import/import.ts'
import { readCsv, readJsonLines, type SourceRecord } from '../../src/operations/import/sources.ts'
import { call, logIn } from '../support/client.ts'
import { createDatabase, kinds, type Service, sql, startService } from '../support/service.ts'

const policy = { memoryCost: 8, timeCost: 1, parallelism: 1 }

// Of "lètmein", by passlib.
const hash = '$2b$05$iCPTZTFlOyjfQicRSu6P7.Omq.CVBlGWiCjem0NFE8s0Vg4tv.G3m'

for (const kind of kinds) {
  await t.test(`what is known of a user comes along, on ${kind}`, async (t) => {
    const { give, rows } = await openTarget(t, kind)
    const counts = await give(
      lines(
        {
          id: 17,
          username: 'Alice',
          email: 'Alice@Example.com',
          first_name: 'Алиса',
          second_name: null,
          password: hash,
          is_reader: false,
          is_author: true,
          is_admin: true,
          is_disabled: true,
          email_verified: true,
          created_at: '2024-05-01 10:00:00.25+02',
          updated_at: '2024-06-01T10:00:00Z'
        },
        { username: 'bob', email: 'bob@example.com' }
      )
    )
    t.strictSame(counts, { imported: 2, alreadyThere: 0, refused: 0 })
    t.match(
      await rows(
        `select *, created_at = '2024-05-01T08:00:00.25Z' as has_created, updated_at = '2024-06-01T10:00:00Z' as has_updated from users order by id`
      ),
      [
        {
          id: 17,
          username: 'Alice',
          username_key: 'alice',
          email: 'Alice@Example.com',
          email_key: 'alice@example.com',
          email_verified: true,
          first_name: 'Алиса',
          second_name: null,
          password: hash,
          is_reader: false,
          is_author: true,
          is_admin: true,
          is_disabled: true,
          has_created: true,
          has_updated: true
        },
        {
          id: 18,
          username: 'bob',
          password: null,
          is_reader: true,
          is_author: false,
          is_admin: false,
          is_disabled: false
        }
      ]
    )
    t.strictSame(await rows('select type, user_id, actor_id, details from audit_events order by user_id'), [
      { type: 'user.imported', user_id: 17, actor_id: null, details: { roles: ['author', 'admin'] } },
      { type: 'user.imported', user_id: 18, actor_id: null, details: { roles: ['reader'] } }
    ])
  })
}

await t.test('the same file given again goes on where it stopped, and uses up no ids', async (t) => {
  const { give, rows } = await openTarget(t)
  const all = Array.from({ length: 1203 }, (_, n) => user(`user${String(n)}`))
  async function* brokenOff() {
    yield* lines(...all.slice(0, 700))
    throw new Error('the connection broke')
  }
  await t.rejects(give(brokenOff()), /the connection broke/)
  t.same(await rows('select count(*)::integer as n from users'), [{ n: 500 }], 'whole batches are there')
  t.strictSame(await give(lines(...all)), { imported: 703, alreadyThere: 500, refused: 0 })
  t.strictSame(await give(lines(...all)), { imported: 0, alreadyThere: 1203, refused: 0 })
  t.same(await rows('select count(*)::integer as users, max(id) as highest from users'), [
    { users: 1203, highest: 1203 }
  ])
  t.same(await rows('select count(*)::integer as n from audit_events'), [{ n: 1203 }], 'an event each')
})

await t.test('names, addresses and ids that others have are refused, in words, and the rest goes on', async (t) => {
  const { give, faults, rows } = await openTarget(t)
  await give(lines({ ...user('alice'), id: 5 }, user('bob')))
  const counts = await give(
    lines(
      { ...user('ALICE'), email: 'other@example.com' },
      { ...user('carol'), email: 'ALICE@example.com' },
      { ...user('dave'), id: 5 },
      { ...user('alice'), id: 6 },
      { ...user('Alice'), id: 5 },
      user('erin'),
      user('Erin'),
      { ...user('erin'), email: 'erin@elsewhere.example' },
      { ...user('frank'), id: 9 },
      { ...user('grace'), id: 9 }
    )
  )
  t.strictSame(counts, { imported: 2, alreadyThere: 2, refused: 6 })
  t.strictSame(faults, [
    '1: username ALICE belongs to a user with another email',
    '2: email ALICE@example.com belongs to a user with another username',
    '3: id 5 belongs to another user: leave it out to have a new one',
    '4: id is 6, but alice is there with the id 5',
    '8: username erin belongs to a user with another email',
    '10: id 9 belongs to another user: leave it out to have a new one'
  ])
  t.same(await rows('select id, username from users order by id'), [
    { id: 5, username: 'alice' },
    { id: 6, username: 'bob' },
    { id: 9, username: 'frank' },
    { id: 10, username: 'erin' }
  ])
})

await t.test('a dry run finds the same and changes nothing', async (t) => {
  const { give, faults, rows } = await openTarget(t)
  await give(lines(user('alice')))
  const file = [
    user('alice'),
    { ...user('bob'), id: 40 },
    ...Array.from({ length: 600 }, (_, n) => user(`user${String(n)}`)),
    { ...user('carol'), email: 'bob@example.com' },
    user('user3'),
    { username: 'dave' }
  ]
  const dry = await give(lines(...file), { dryRun: true })
  t.strictSame(dry, { imported: 601, alreadyThere: 2, refused: 2 })
  t.same(await rows('select username from users'), [{ username: 'alice' }])
  t.same(await rows('select type from audit_events'), [{ type: 'user.imported' }])
  const told = faults.splice(0).toSorted()
  t.strictSame(await give(lines(...file)), dry)
  t.strictSame(faults.toSorted(), told)
  t.equal(told.length, 2)
})

await t.test('every fault of a line is named, in words that repeat no hash', async (t) => {
  const { give, faults, rows } = await openTarget(t)
  const good = user('alice')
  const secret = 'hunter2-in-the-clear'
  const refused: [record: object, fault: string][] = [
    [{}, 'username is missing; email is missing'],
    [{ ...good, username: 'al' }, 'username must have 3 to 32 characters'],
    [{ ...good, username: 'Алиса' }, 'username must have 3 to 32 characters'],
    [{ ...good, username: 7, email: 'alice' }, 'username must have 3 to 32 characters'],
    [{ ...good, email: 'alice' }, 'email must be a valid email'],
    [{ ...good, is_admn: true }, '"is_admn" is no field of a user'],
    [{ ...good, is_admin: 'yes' }, 'is_admin must be true or false'],
    [{ ...good, id: 0 }, 'id must be a whole number from 1 to 2000000000'],
    [{ ...good, id: 2_000_000_001 }, 'id must be a whole number'],
    [{ ...good, id: 1.5 }, 'id must be a whole number'],
    [{ ...good, first_name: 'x'.repeat(101) }, 'first_name must have at most 100 characters'],
    [{ ...good, first_name: 'caf\uFFFD' }, 'first_name must have at most 100 characters, in UTF-8'],
    [{ ...good, second_name: 'a\u0000b' }, 'second_name must have'],
    [{ ...good, created_at: '2024-05-01T10:00:00' }, 'created_at must be a moment that has passed, with its zone'],
    [{ ...good, created_at: '2024-02-30T10:00:00Z' }, 'created_at must be'],
    [{ ...good, updated_at: '2999-01-01T00:00:00Z' }, 'updated_at must be'],
    [{ ...good, password: secret }, 'password is no hash of a kind that is known here'],
    [
      { ...good, password_hash: hash.replace('$05$', '$20$') },
      'password would cost too much to verify: a bcrypt cost of 20'
    ],
    [
      { ...good, password: secret, salt: 'c2FsdA==' },
      "salt is for Firebase's hashes, whose parameters --firebase FILE names"
    ]
  ]
  const counts = await give(lines(...refused.map(([record]) => record)))
  t.strictSame(counts, { imported: 0, alreadyThere: 0, refused: refused.length })
  for (const [index, [, fault]] of refused.entries()) t.match(faults[index], `${String(index + 1)}: ${fault}`)
  t.notOk(faults.some((fault) => fault.includes(secret) || fault.includes('$2b$')))
  t.same(await rows('select * from users'), [])
})

await t.test('JSON Lines are read one by one, whatever stands between them', async (t) => {
  const { give, faults, rows } = await openTarget(t)
  const text = [
    '\uFEFF{"username":"first","email":"first@example.com"}\r',
    '',
    '[{"username":"array","email":"array@example.com"}]',
    '{"username":"open',
    `{"username":"long","email":"${'x'.repeat(70_000)}"}`,
    '"text"',
    '{"username":"proto","email":"proto@example.com","__proto__":{"is_admin":true}}',
    '{"username":"last","email":"last@example.com"}'
  ].join('\n')
  // Pieces that begin and end anywhere, also within a character.
  const bytes = Buffer.from(text)
  const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, n) => bytes.subarray(7 * n, 7 * n + 7))
  const counts = await give(readJsonLines(Readable.from(pieces, { objectMode: false })))
  t.strictSame(counts, { imported: 2, alreadyThere: 0, refused: 5 })
  t.match(faults, [
    "3: is no JSON object; each user is one line (jq -c '.[]' makes lines of an array)",
    '4: is no JSON object',
    '5: has more than 65536 characters',
    '6: is no JSON object',
    '7: "__proto__" is no field of a user'
  ])
  t.same(await rows('select username from users order by id'), [{ username: 'first' }, { username: 'last' }])
})

await t.test('CSV as PostgreSQL and spreadsheets write it', async (t) => {
  const { give, faults, rows } = await openTarget(t)
  const text = [
    '\uFEFFid,username,email,first_name,password,is_reader,is_admin,created_at',
    `3,alice,alice@example.com,"Alice ""Al"", A.",${hash},f,t,2024-05-01 10:00:00+00`,
    '4,bob,bob@example.com,,,TRUE,0,',
    '5,carol,carol@example.com,Carol',
    '6,da"ve,dave@example.com,,,,,',
    'x,erin,erin@example.com,,,maybe,,',
    '',
    ',frank,frank@example.com,"Two\nlines",,,,',
    ',grace,grace@example.com,,,,,'
  ].join('\r\n')
  const counts = await give(readCsv(Readable.from([text], { objectMode: false }), () => undefined))
  t.strictSame(counts, { imported: 3, alreadyThere: 0, refused: 4 })
  t.match(faults, [
    '4: has another number of columns than the first line',
    '5: is no CSV: a cell with a comma or a quotation mark stands between quotation marks, which are doubled within',
    '6: id must be a whole number from 1 to 2000000000; is_reader must be true or false',
    /^9: first_name must have at most 100 characters, in UTF-8, none of control/
  ])
  t.match(await rows('select id, username, first_name, password, is_reader, is_admin from users order by id'), [
    { id: 3, username: 'alice', first_name: 'Alice "Al", A.', password: hash, is_reader: false, is_admin: true },
    { id: 4, username: 'bob', first_name: null, password: null, is_reader: true, is_admin: false },
    { id: 5, username: 'grace' }
  ])
})

await t.test('who was imported logs in with the password from before, whose hash is ours from then on', async (t) => {
  const service = await startService(t)
  const { give } = await openTarget(t, 'postgres', service)
  const parameters = readFirebaseParameters(`
    base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
    base64_salt_separator: Bw==, rounds: 8, mem_cost: 14`)
  const fromFirebase = 'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=='
  await give(
    lines(
      { ...user('bcrypt'), password: hash },
      { ...user('django'), password: 'pbkdf2_sha1$30000$seasalt2$pMzU1zNPcydf6wjnJFbiVKwgULc=' },
      { ...user('firebase'), password: fromFirebase, salt: '42xEC+ixf3L2lw==' },
      { ...user('unusable'), password: '!3VMNsB8GH56rWw9pVxyRipyanQqhj7dl6F9kmVxN' }
    ),
    { firebase: parameters }
  )
  const stored = async (username: string) =>
    (await sql<{ password: string | null }>(service, 'select password from users where username = $1', [username]))[0]
      ?.password
  const attempt = async (username: string, password: string) =>
    (await call(service, 'POST /auth/login', { json: { username, password } })).status

  for (const [username, password] of [
    ['bcrypt', 'lètmein'],
    ['django', 'lètmein'],
    ['firebase', 'user1password']
  ] as const) {
    const before = await stored(username)
    t.equal(await attempt(username, `${password}!`), 401)
    t.equal(await stored(username), before, 'a wrong password changes nothing')
    const token = await logIn(service, { username, password })
    t.match(await stored(username), /^\$argon2id\$v=19\$m=8,t=1,p=1\$/, username)
    t.equal(await attempt(username, password), 200, 'and again')
    t.equal((await call(service, 'GET /auth/me', { bearer: token })).status, 200)
  }
  t.equal(await stored('unusable'), null)
  t.equal(await attempt('unusable', '!3VMNsB8GH56rWw9pVxyRipyanQqhj7dl6F9kmVxN'), 401)
  t.notOk(service.log.some((line) => line.includes('cannot be read')))
})

function user(username: string) {
  return { username, email: `${username.toLowerCase()}@example.com` }
}

async function* lines(...records: object[]): AsyncGenerator<SourceRecord> {
  yield* records.map((fields, index) => ({ line: index + 1, fields: fields as Record<string, unknown> }))
}

type Given = Partial<Parameters<typeof importUsers>[1]>

/** A database to import into, in this process. */
async function openTarget(t: Test, kind: (typeof kinds)[number] = 'postgres', service?: Service) {
  const url = service?.env.DATABASE_URL ?? (await createDatabase(t, kind))
  const database = await openDatabase({ url, listenUrl: url, poolSize: 2 })
  t.teardown(() => database.close())
  const faults: string[] = []
  return {
    faults,
    give: (records: AsyncIterable<SourceRecord>, given: Given = {}): Promise<ImportCounts> =>
      importUsers(records, {
        db: database.db,
        policy,
        onFault: (line, message) => faults.push(`${String(line)}: ${message}`),
        ...given
      }),
    /** As JSON has them, so that both drivers give the same. */
    rows: async (query: string): Promise<unknown> => {
      const result = (await database.db.execute(query)) as unknown[] | { rows: unknown[] }
      const list = Array.isArray(result) ? result : result.rows
      return JSON.parse(JSON.stringify(list))
    }
  }
}
