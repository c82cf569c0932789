import { readFileSync } from 'node:fs'
import t from 'tap'
import { oauthErrors } from '../../src/oauth-errors.ts'
import { problems } from '../../src/errors.ts'

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const [aboutProblems = '', aboutOAuth = ''] = page.split('\n## OAuth\n')

await t.test('docs/errors.md has every code of a problem below its status', async (t) => {
  const sections = aboutProblems.split(/^## /m).slice(1)
  const told = sections.flatMap((section) =>
    [...section.matchAll(/^- `(\w+)`: \S/gm)].map(([, code = '']) => [code, Number(section.slice(0, 3))])
  )
  t.same(
    told.sort(),
    Object.entries(problems)
      .map(([code, { status }]) => [code, status])
      .sort()
  )
})

await t.test('and every error of OAuth with its status', async (t) => {
  const told = [...aboutOAuth.matchAll(/^- `(\w+)` \((\d+)\): \S/gm)].map(([, code = '', status]) => [
    code,
    Number(status)
  ])
  t.same(
    told.sort(),
    Object.entries(oauthErrors)
      .map(([code, { status }]) => [code, status])
      .sort()
  )
})
