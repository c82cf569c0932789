import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createFolder } from '../support/service.ts'

const script = fileURLToPath(new URL('../../gatehouse', import.meta.url))
// What runs here is the source, of which a report of coverage would have every function twice.
const env = { PATH: process.env.PATH ?? '', NODE_V8_COVERAGE: '' }

await t.test('./gatehouse runs from any folder, with the .env that is there, and prints nothing else', async (t) => {
  const cwd = join(createFolder(t), 'a folder with spaces')
  mkdirSync(cwd)
  writeFileSync(join(cwd, '.env'), 'KEYS_DIR=mine\n')
  // Of another project, which must not matter.
  writeFileSync(join(cwd, 'tsconfig.json'), '{ "extends": "./nothing.json" }')
  const { status, stdout, stderr } = spawnSync(script, ['keys', 'generate', '--json'], { cwd, env, encoding: 'utf8' })
  t.strictSame([status, stderr], [0, ''])
  t.equal((JSON.parse(stdout) as { made: string[] }).made.length, 2)
  const link = join(cwd, 'link')
  symlinkSync(script, link)
  const refused = spawnSync(link, ['keys', 'generate'], { cwd, env, encoding: 'utf8' })
  t.match(refused, { status: 1, stdout: '', stderr: /^gatehouse: mine has its keys/ })
})

await t.test('./gatehouse names npm ci where dependencies are not installed', async (t) => {
  const cwd = createFolder(t)
  copyFileSync(script, join(cwd, 'gatehouse'))
  const { status, stdout, stderr } = spawnSync('./gatehouse', ['doctor'], { cwd, env, encoding: 'utf8' })
  t.strictSame([status, stdout], [1, ''])
  t.match(stderr, /^gatehouse: The dependencies are not installed: run "npm ci" in \//)
})
