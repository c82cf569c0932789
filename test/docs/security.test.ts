import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const root = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** A test that the page names: the files in which it may be, and its title, of which `…` may be anything. */
interface Citation {
  files: string[]
  title: string
}

/** `test/a.test.ts: one title; another; test/b.test.ts`; what is in brackets is a remark. */
function readCitations(item: string): Citation[] {
  let files: string[] = []
  return item.split(/;\s+/).flatMap((part) => {
    const [, prefix = '', name, rest] = /^(test\/[\w/-]*)(\{[\w,]+\}|[\w-]*)(\.test\.ts)(?=:|$)/.exec(part.trim()) ?? []
    if (name !== undefined)
      files = name
        .replace(/[{}]/g, '')
        .split(',')
        .map((one) => `${prefix}${one}${rest ?? ''}`)
    const title = name === undefined ? part.trim() : part.trim().replace(/^[^:]*:?\s*/, '')
    return files.length === 0 ? [] : [{ files, title: title.startsWith('(') ? '' : title }]
  })
}

// An item of a list below what is defended, with its further lines.
const items = read('docs/security.md').matchAll(/^ {2}- (.*(?:\n {4}\S.*)*)/gm)
const citations = [...items].flatMap(([, item = '']) => readCitations(item.replaceAll(/\n +/g, ' ')))

await t.test('docs/security.md names tests that there are', async (t) => {
  t.ok(citations.length > 100, 'the page was read')
  // What the three examples for proxies have in common is in test/support.
  const shared = read('test/support/guarded-application.ts')
  const missing = citations.filter(({ files, title }) => {
    if (!files.every((file) => existsSync(join(root, file)))) return true
    const text = files.map(read).join('\n') + (files.length > 1 ? shared : '')
    return !title
      .split('…')
      .every((piece) => text.includes(piece.trim().replaceAll("'", '’')) || text.includes(piece.trim()))
  })
  t.same(missing, [])
})
