import t from 'tap'
import { createPace } from '../../src/passwords/pace.ts'

await t.test('what is missing is the difference from one of the costliest kind, as those vary', async (t) => {
  let chance = 0
  const pace = createPace(() => chance)
  t.equal(pace.missing('cheap', 1), 0, 'nothing is known')
  pace.record('cheap', 1)
  for (const took of [20, 30, 40]) pace.record('dear', took)
  t.same([pace.knows('dear'), pace.knows('other')], [true, false])
  t.equal(pace.missing('cheap', 1), 19)
  chance = 0.99
  t.equal(pace.missing('cheap', 1), 39)
  t.equal(pace.missing('dear', 1), 0)
  t.equal(pace.missing('cheap', 100), 0, 'which took longer anyway')
})

await t.test(
  'the latest fifteen of a kind count, and their median: one that was held up makes nobody wait',
  async (t) => {
    const pace = createPace(() => 0)
    for (const took of [10, 10, 500]) pace.record('held up', took)
    for (const took of [20, 20, 20]) pace.record('dear', took)
    t.equal(pace.missing('held up', 10), 10)
    for (let time = 0; time < 15; time++) pace.record('dear', 5)
    t.equal(pace.missing('dear', 1), 9, 'now the other is the costliest')
  }
)
