import { readFileSync } from 'node:fs'
import t from 'tap'
import { auditEventTypes } from '../../src/repositories/audit-events.ts'

const page = readFileSync(new URL('../../docs/administration.md', import.meta.url), 'utf8')

await t.test('docs/administration.md lists every type of event once', async (t) => {
  const rows = page.split('\n').filter((line) => /^\| `[a-z]+\.[a-z_]+`/.test(line))
  const types = rows.flatMap((row) =>
    (row.split('|')[1]?.match(/`[a-z]+\.[a-z_]+`/g) ?? []).map((name) => name.slice(1, -1))
  )
  t.same(types.sort(), [...auditEventTypes].sort())
})
