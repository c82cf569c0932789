import { readFileSync } from 'node:fs'
import t from 'tap'
import { defaultsOfSettings, readSettings } from '../support/settings-table.ts'

const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8')

await t.test('docs/settings.md has every setting, with its default', async (t) => {
  t.same(readSettings(page), defaultsOfSettings())
})
