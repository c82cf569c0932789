import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { gatehouse } from '../support/command.ts'
import { createFolder } from '../support/service.ts'

type Shell = 'bash' | 'zsh' | 'fish'

/** What stands before the cursor, and what is suggested there. */
const expected: [typed: string, suggestions: string[]][] = [
  ['us', ['users']],
  ['users gr', ['grant']],
  ['users grant alice ', ['admin', 'author', 'reader']],
  ['--json users sh', ['show']],
  ['users list --se', ['--search']],
  ['users list --role au', ['author']],
  ['users list --role author --l', ['--limit']],
  ['clients set-scopes X users:read a', ['audit:read']],
  ['users import let', ['letter.csv']],
  ['keys list --js', ['--json']],
  ['completion ', ['bash', 'fish', 'zsh']],
  ['users show ', []]
]

/** Asks each shell for what it would suggest. */
const questions: Record<Shell, string> = {
  bash: 'source "$1"; COMP_LINE="gatehouse $2" COMP_POINT=$((${#2} + 10)); _gatehouse; printf "%s\\n" "${COMPREPLY[@]}"',
  // Of its completion system, which needs a terminal, what the script hands over to.
  zsh: `compdef() { }; source "$1"
    _describe() { print -rl -- "\${(@)\${(@)suggestions//\\\\:/=}%%:*}" | tr = : }; _files() { print -rl -- *(N) }
    words=("\${(@s: :):-gatehouse $2}"); CURRENT=$#words; _gatehouse`,
  fish: 'source $argv[1]; complete -C "gatehouse $argv[2]"'
}

const starting: Record<Shell, string[]> = {
  bash: ['--norc', '-c', questions.bash, 'bash'],
  zsh: ['-f', '-c', questions.zsh, 'zsh'],
  fish: ['--no-config', '-c', questions.fish]
}

const isThere = (shell: Shell) => spawnSync(shell, ['--version']).status === 0

async function install(t: Test, shell: Shell): Promise<{ cwd: string; file: string }> {
  const cwd = createFolder(t)
  writeFileSync(join(cwd, 'letter.csv'), '')
  const { status, stdout, stderr } = await gatehouse(t, ['completion', shell])
  t.strictSame([status, stderr], [0, ''])
  const file = join(cwd, `completion.${shell}`)
  writeFileSync(file, stdout)
  return { cwd, file }
}

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  await t.test(`${shell} completes commands, options, values and files`, async (t) => {
    const { cwd, file } = await install(t, shell)
    if (!isThere(shell)) {
      t.comment(`without ${shell}: install it to have its completion tried`)
      return
    }
    for (const [typed, suggestions] of expected) {
      const { stdout, stderr } = spawnSync(shell, [...starting[shell], file, typed], { cwd, encoding: 'utf8' })
      const last = typed.split(' ').at(-1) ?? ''
      const found = stdout.split('\n').map((line) => line.split('\t')[0] ?? '')
      const fitting = found.filter((word) => word !== '' && word.startsWith(last))
      t.strictSame([fitting.sort(), stderr], [suggestions, ''], typed)
    }
  })
}
