import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { gatehouse } from '../support/command.ts'
import { createDatabase, createFolder, sql } from '../support/service.ts'

await t.test('users import names each line that it refuses, and says as JSON what came of all', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t) }
  const input = [
    'username,email,is_admin,password',
    'alice,alice@example.com,t,$2b$05$iCPTZTFlOyjfQicRSu6P7.Omq.CVBlGWiCjem0NFE8s0Vg4tv.G3m',
    'bob,bob@example.com,f,in the clear',
    'carol,carol@example.com,,'
  ].join('\n')
  const ending = await gatehouse(t, ['users', 'import', '-', '--format', 'csv', '--json'], { env, input })
  t.equal(ending.status, 1)
  const message = 'password is no hash of a kind that is known here: docs/import.md lists those that are'
  t.equal(ending.stderr, `line 3: ${message}\n`)
  t.strictSame(JSON.parse(ending.stdout), {
    dry_run: false,
    imported: 2,
    already_there: 0,
    refused: 1,
    faults: [{ line: 3, message }]
  })
  t.same(await sql({ env }, 'select username, is_admin from users order by id'), [
    { username: 'alice', is_admin: true },
    { username: 'carol', is_admin: false }
  ])
})

await t.test('users import says in a line what is wrong with its files', async (t) => {
  const cwd = createFolder(t)
  const env = { DATABASE_URL: await createDatabase(t) }
  writeFileSync(join(cwd, 'users.csv'), 'usrname,email\nalice,alice@example.com\n')
  writeFileSync(join(cwd, 'twice.csv'), 'username,email,email\nalice,a@example.com,b@example.com\n')
  writeFileSync(join(cwd, 'users.txt'), '')
  writeFileSync(join(cwd, 'users.jsonl'), '')
  const refusals: [words: string, ...args: string[]][] = [
    ['The first line must name the columns; "usrname" is none of id, username, email', 'users.csv'],
    ['A column of the first line is there twice', 'twice.csv'],
    ['The format of users.txt is not clear: use --format jsonl or csv', 'users.txt'],
    ['Cannot use nowhere.jsonl (open: ENOENT)', 'nowhere.jsonl'],
    ['users.txt must hold base64_signer_key', 'users.jsonl', '--firebase', 'users.txt']
  ]
  const endings = await Promise.all(
    refusals.map(async ([words, ...args]) => ({
      words,
      ...(await gatehouse(t, ['users', 'import', ...args], { env, cwd }))
    }))
  )
  for (const { words, status, stdout, stderr } of endings) {
    t.match(stderr, `gatehouse: ${words}`)
    const expected = words.includes('--format') ? 2 : 1
    t.strictSame([status, stdout, stderr.trimEnd().split('\n').length], [expected, '', 1], stderr)
  }
  t.same(await sql({ env }, 'select username from users'), [])
})
