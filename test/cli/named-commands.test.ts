import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import t from 'tap'
import { createProgram } from '../../cli/program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const filesIn = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))

/** Follows the words to a command that does something. @returns what is wrong */
function check(words: string[]): string | undefined {
  let command: Command = createProgram({})
  let rest = words
  for (
    let next: Command | undefined;
    (next = command.commands.find((sub) => sub.name() === rest[0]));
    rest = rest.slice(1)
  )
    command = next
  if (command.commands.length > 0 && command.name() !== 'outbox') return `no command: ${words.join(' ')}`
  const options = command.options.map(({ long }) => long)
  const unknown = rest.find((word) => word.startsWith('--') && ![...options, '--json', '--help'].includes(word))
  return unknown && `no option ${unknown}: ${words.join(' ')}`
}

await t.test('every command that a message or a document names is there', async (t) => {
  const sources = ['cli', 'src', 'plugins', 'routes'].flatMap((folder) => filesIn(folder, '.ts'))
  const pages = ['README.md', 'SECURITY.md', ...filesIn('docs', '.md').filter((name) => !name.includes('decisions'))]
  let named = 0
  for (const file of [...sources, ...pages]) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const [, words = ''] of text.matchAll(
      /(?:(?:["`]|^\$ |\.\/)gatehouse|run gatehouse --) ([a-z][a-z-]*(?: [a-z-]+)*)/gm
    )) {
      named += 1
      const fault = check(words.split(' '))
      if (fault !== undefined) t.fail(`${file}: ${fault}`)
    }
  }
  t.ok(named > 40, `${String(named)} are named`)
})
