import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import postgres from 'postgres'
import t from 'tap'
import { commandLine, gatehouse } from '../support/command.ts'
import { createEmptyDatabase, createFolder, type Kind, kinds, sql } from '../support/service.ts'

const journal = JSON.parse(readFileSync(new URL('../../migrations/meta/_journal.json', import.meta.url), 'utf8')) as {
  entries: unknown[]
}

const emptyDatabase = (kind: Kind) =>
  kind === 'postgres' ? createEmptyDatabase(t) : Promise.resolve(`pglite:${createFolder(t)}/data`)

for (const kind of kinds) {
  await t.test(`migrate brings the schema once, and --check tells before and after, on ${kind}`, async (t) => {
    const env = { DATABASE_URL: await emptyDatabase(kind) }
    const run = (...args: string[]) => gatehouse(t, ['migrate', ...args], { env })

    const before = await run('--check', '--json')
    t.equal(before.status, 1)
    if (kind === 'embedded') t.match(JSON.parse(before.stderr), { error: { code: 'database_missing' } })
    else t.match(JSON.parse(before.stdout), { pending: journal.entries.length })

    const applied = await run('--json')
    t.match(applied, { status: 0, stderr: `Applying ${String(journal.entries.length)} migrations\n` })
    t.strictSame(JSON.parse(applied.stdout), { applied: journal.entries.length })

    t.strictSame(await run('--check'), { status: 0, stdout: 'The database schema is up to date\n', stderr: '' })
    t.strictSame(await run(), { status: 0, stdout: 'The database schema is up to date\n', stderr: '' })
  })
}

await t.test('migrate --check changes nothing', async (t) => {
  const env = { DATABASE_URL: await createEmptyDatabase(t) }
  const { status, stdout } = await gatehouse(t, ['migrate', '--check'], { env })
  t.equal(status, 1)
  t.match(stdout, 'pending: run "gatehouse migrate"')
  t.strictSame(
    await sql({ env }, `select 1 from information_schema.tables where table_schema in ('public', 'drizzle')`),
    []
  )
})

await t.test('migrate asks for no setting that it does not use', async (t) => {
  const DATABASE_URL = await createEmptyDatabase(t)
  const { status } = await gatehouse(t, ['migrate'], { env: { DATABASE_URL, NODE_ENV: 'production', HOST: '0.0.0.0' } })
  t.equal(status, 0)
})

await t.test('migrate says that it waits for another process', async (t) => {
  const DATABASE_URL = await createEmptyDatabase(t)
  const other = postgres(DATABASE_URL, { max: 1 })
  // The lock that start-up work holds.
  await other`select pg_advisory_lock(47153362)`
  const child = spawn(process.execPath, [...commandLine, 'migrate'], {
    cwd: createFolder(t),
    env: { DATABASE_URL },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stderr })[Symbol.asyncIterator]()
  t.match(await lines.next(), { value: /^Waiting for another process/ })
  await other.end()
  t.match(await lines.next(), { value: /^Applying / })
  t.strictSame(await once(child, 'exit'), [0, null])
})
