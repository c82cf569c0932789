import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { commandLine, gatehouse } from '../support/command.ts'
import { createDatabase, createFolder, sql } from '../support/service.ts'

const insert = (env: Record<string, string>, ...types: string[]) =>
  sql({ env }, `insert into audit_events (type, details) select type, '{"n":1}' from string_to_table($1, ',') type`, [
    types.join(',')
  ])

/** A `gatehouse audit tail` that goes on: its lines as they come. */
function follow(t: Test, env: Record<string, string>, ...args: string[]) {
  const child = spawn(process.execPath, [...commandLine, 'audit', 'tail', ...args], {
    cwd: createFolder(t),
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    next: async () => (await lines.next()).value as string,
    ended: once(child, 'exit') as Promise<[status: number | null]>
  }
}

await t.test('audit tail prints the latest events, oldest first, for people and for programs', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t) }
  await insert(env, ...Array.from({ length: 30 }, (_, n) => (n % 2 === 0 ? 'user.logged_in' : 'user.login_failed')))
  const [words, json, none, wrong, mistyped] = await Promise.all([
    gatehouse(t, ['audit', 'tail', '--no-follow'], { env }),
    gatehouse(t, ['audit', 'tail', '--no-follow', '-n', '3', '--type', 'user.login_failed', '--json'], { env }),
    gatehouse(t, ['audit', 'tail', '--no-follow', '-n', '0'], { env }),
    gatehouse(t, ['audit', 'tail', '-n', 'all'], { env }),
    gatehouse(t, ['audit', 'tail', '--no-follow', '--type', 'user.login'], { env })
  ])
  t.equal(words.stdout.trimEnd().split('\n').length, 20)
  t.match(words.stdout, /^\d{4}-\S+Z user\.logged_in \{"n":1\}\n/)
  const events = json.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: number; type: string })
  t.strictSame(
    events.map(({ id }) => id),
    [26, 28, 30]
  )
  t.strictSame(none, { status: 0, stdout: '', stderr: 'There are no such events\n' })
  t.match(wrong, { status: 2, stderr: /whole number/ })
  t.match(mistyped, {
    status: 2,
    stdout: '',
    stderr: /no events of the type user\.login: did you mean user\.log.*user\.login_failed/
  })
})

await t.test('audit tail follows, misses nothing that commits late, and ends when it is interrupted', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t) }
  await insert(env, 'first')
  const tail = follow(t, env, '--json')
  t.match(JSON.parse(await tail.next()), { type: 'first' })
  const late = postgres(env.DATABASE_URL, { max: 1 })
  await late.begin(async (tx) => {
    await tx`insert into audit_events (type) values ('committed later')`
    await insert(env, 'committed sooner')
    t.match(JSON.parse(await tail.next()), { type: 'committed sooner', id: 3 })
  })
  await late.end()
  t.match(JSON.parse(await tail.next()), { type: 'committed later', id: 2 })
  tail.child.kill('SIGINT')
  t.strictSame(await tail.ended, [0, null])
})

await t.test('audit tail ends when its reader does, and a terminal is not commanded', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t) }
  await sql({ env }, `insert into audit_events (type, user_agent) values ('x', e'\\u009b31m\\u001b[2J\\nforged')`)
  const tail = follow(t, env)
  t.match(await tail.next(), /^\S+ x agent="\?31m\\u001b\[2J\\nforged"$/)
  tail.child.stdout.destroy()
  await insert(env, 'y')
  t.strictSame(await tail.ended, [0, null])
})
