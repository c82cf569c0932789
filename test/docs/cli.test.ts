import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { failureCodes } from '../../cli/command-error.ts'
import { commandLine } from '../support/command.ts'
import { cheapHashes, createEmptyDatabase } from '../support/service.ts'
import { createShell, patternOf } from '../support/shell.ts'

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')

await t.test('the commands of docs/cli.md print what stands there', async (t) => {
  const blocks = [...page.matchAll(/```console\n(.*?)```/gs)].map(([, block = '']) => block)
  const steps = blocks.flatMap((block) => block.split(/^\$ /m).slice(1))
  t.ok(steps.length >= 20, 'there are commands')
  const shell = createShell(t, {
    ...cheapHashes,
    DATABASE_URL: await createEmptyDatabase(t),
    PASSWORD: 'a long and quiet evening',
    NEW_PASSWORD: 'a short and noisy morning'
  })
  const quoted = [process.execPath, ...commandLine].map((word) => `'${word}'`).join(' ')
  const hasJq = spawnSync('jq', ['--version']).status === 0
  for (const step of steps) {
    const [command = '', ...answer] = step.split('\n')
    if (command.includes('| jq') && !hasJq) continue
    const printed = await shell(`gatehouse() { ${quoted} "$@" 2>&1; }\n${command}`)
    t.match(printed, patternOf(answer.join('\n')), command)
  }
})

await t.test('docs/cli.md names every code that the errors of commands have of their own', async (t) => {
  for (const code of failureCodes) t.match(page, `\`${code}\``)
})
