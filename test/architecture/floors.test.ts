import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import t from 'tap'

const root = resolve(import.meta.dirname, '../..')

/** The modules of src, each with those that it imports: for values and for types, at once and on demand. */
const imports = new Map(
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const file = join(root, 'src', name)
      const specifiers = [...readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?'(\.{1,2}\/[^']+)'/g)]
      return [name, specifiers.map(([, path = '']) => relative(join(root, 'src'), resolve(dirname(file), path)))]
    })
)

/** A module at the top of src stands for itself, all others for their folder. */
const folderOf = (file: string) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : file)

/** A way from a node back to itself. */
function findCircle(graph: Map<string, Set<string>>): string[] | undefined {
  const done = new Set<string>()
  function visit(node: string, path: string[]): string[] | undefined {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (done.has(node)) return undefined
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next, [...path, node])
      if (circle) return circle
    }
    done.add(node)
    return undefined
  }
  for (const node of graph.keys()) {
    const circle = visit(node, [])
    if (circle) return circle
  }
  return undefined
}

await t.test('the folders of src import one another without a circle', async (t) => {
  const graph = new Map<string, Set<string>>()
  for (const [file, targets] of imports) {
    const folder = folderOf(file)
    const others = graph.get(folder) ?? new Set()
    for (const target of targets) if (folderOf(target) !== folder) others.add(folderOf(target))
    graph.set(folder, others)
  }
  t.ok(graph.size > 20, 'the graph was read')
  t.equal(findCircle(graph), undefined)
})

await t.test('the modules of src import one another without a circle', async (t) => {
  t.equal(findCircle(new Map([...imports].map(([file, targets]) => [file, new Set(targets)]))), undefined)
})

await t.test('a circle would be found', async (t) => {
  const graph = new Map([
    ['a', new Set(['b'])],
    ['b', new Set(['c'])],
    ['c', new Set(['b'])]
  ])
  t.same(findCircle(graph), ['b', 'c', 'b'])
})
