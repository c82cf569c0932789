import t from 'tap'
import { gatehouse } from '../support/command.ts'
import { createEmptyDatabase, createFolder, type Kind, kinds, sql } from '../support/service.ts'

const emptyDatabase = (kind: Kind) =>
  kind === 'postgres' ? createEmptyDatabase(t) : Promise.resolve(`pglite:${createFolder(t)}/data`)

for (const kind of kinds) {
  await t.test(`migrate brings the schema once, and --check tells before and after, on ${kind}`, async (t) => {
    const env = { DATABASE_URL: await emptyDatabase(kind) }
    const run = (...args: string[]) => gatehouse(t, ['migrate', ...args], { env })

    const pending = await run('--check', '--json')
    t.equal(pending.status, 1)
    t.match(JSON.parse(pending.stdout), { pending: Number })
    t.ok((JSON.parse(pending.stdout) as { pending: number }).pending > 0)

    const applied = await run('--json')
    t.equal(applied.status, 0)
    t.strictSame(JSON.parse(applied.stdout), { applied: (JSON.parse(pending.stdout) as { pending: number }).pending })

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
