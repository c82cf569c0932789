import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { kinds, startService } from './support/service.ts'
import { defaultsOfSettings, readSettings } from './support/settings-table.ts'
import { createShell, patternOf } from './support/shell.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

for (const kind of kinds) {
  await t.test(`the walk in the README answers as printed there, on ${kind}`, async (t) => {
    const steps = [...section('A walk').matchAll(/```sh\n(.*?)```\n\n```http\n(.*?)```/gs)]
    t.ok(steps.length >= 7, 'there are commands with answers')
    const service = await startService(t, { RATE_LIMIT: 'on' }, kind)
    const shell = createShell(t)
    for (const [, command = '', answer = ''] of steps) {
      const printed = await shell(command.replaceAll('http://127.0.0.1:3000', service.url))
      t.match(printed, patternOf(answer), command.trim())
    }
  })
}

await t.test('the settings that the README names have their defaults', (t) => {
  const told = readSettings(readme)
  t.ok(Object.keys(told).length >= 8)
  t.match(defaultsOfSettings(), told)
  t.end()
})

await t.test('what the documents link to is there', async (t) => {
  const folders = ['.', 'docs', 'docs/guides', 'docs/decisions', 'examples/nginx', 'examples/caddy', 'examples/traefik']
  const pages = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name))
  )
  for (const page of pages) {
    for (const [, target = ''] of readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#:]+)\)/g)) {
      t.ok(existsSync(join(root, dirname(page), target)), `${page} → ${target}`)
    }
  }
})

await t.test('docs/index.md and docs/decisions/README.md leave out no page', async (t) => {
  const contents = { 'docs/index.md': ['docs', 'docs/guides'], 'docs/decisions/README.md': ['docs/decisions'] }
  for (const [page, folders] of Object.entries(contents)) {
    const text = readFileSync(join(root, page), 'utf8')
    const links = [...text.matchAll(/^- \[.+?\]\((.+?)\)/gm)].map(([, target = '']) => join(dirname(page), target))
    const pages = folders.flatMap((folder) =>
      readdirSync(join(root, folder))
        .filter((name) => name.endsWith('.md'))
        .map((name) => join(folder, name))
    )
    t.same(
      pages.filter((name) => name !== page && !links.includes(name)),
      []
    )
  }
})

await t.test('the scripts that the documents tell of exist', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const told = ['README.md', 'CONTRIBUTING.md'].flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/npm (?:run )?([\w:]+)/g)].map(([, script = '']) => script)
  )
  for (const script of new Set(told)) {
    if (!['ci', 'pack', 'install'].includes(script)) t.ok(scripts[script], `npm run ${script}`)
  }
})

/** What follows a heading of the README, up to the next. */
function section(heading: string): string {
  const [, text = ''] = readme.split(`\n## ${heading}\n`)
  return text.split('\n## ')[0] ?? ''
}

await t.test('the tests that docs/security.md names are there', async (t) => {
  const named = new Set(readFileSync(join(root, 'docs/security.md'), 'utf8').match(/(?:test|bench)\/[\w./-]+\.ts/g))
  t.ok(named.size > 20)
  for (const file of named) t.ok(existsSync(join(root, file)), file)
})
