import t from 'tap'
import { createHashQueue, queued } from '../../src/passwords/queue.ts'

type Task = Parameters<ReturnType<typeof createHashQueue>['push']>[0]

const task = (name: string, caller: 'known' | 'stranger') => queued({ name }, caller) as unknown as Task

await t.test('hashes of known clients go first, each kind in the order in which it came', async (t) => {
  const queue = createHashQueue()
  const [s1, s2, k1, k2] = [task('s1', 'stranger'), task('s2', 'stranger'), task('k1', 'known'), task('k2', 'known')]
  for (const one of [s1, k1, s2, k2]) queue.push(one)
  t.same([queue.size, queue.waiting('known'), queue.waiting('stranger')], [4, 2, 2])
  t.equal(queue.shift(), k1)
  queue.unshift(k1)
  t.equal(queue.shift(), k1, 'what no thread could take yet keeps its place')
  queue.remove(s1)
  t.same([queue.shift(), queue.shift(), queue.shift()], [k2, s2, null])
})
