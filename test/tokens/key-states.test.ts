import t from 'tap'
import { listStates } from '../../src/keys/key-states.ts'

const schedule = { activationDelay: 300, validity: 960 }
const made = (...seconds: number[]) => seconds.map((second) => ({ createdAt: new Date(second * 1000) }))
const at = (second: number) => second * 1000

await t.test('the only key signs from the moment it is there', async (t) => {
  t.same(listStates(made(1000), schedule, at(1000)), ['active'])
  t.same(listStates(made(1000), schedule, at(0)), ['active'], 'also where its clock is ahead of ours')
})

await t.test('a new key is published first, then it signs and the old one retires, then that is gone', async (t) => {
  const keys = made(0, 1000)
  t.same(listStates(keys, schedule, at(1000)), ['active', 'pending'])
  t.same(listStates(keys, schedule, at(1299)), ['active', 'pending'])
  t.same(listStates(keys, schedule, at(1300)), ['retiring', 'active'])
  t.same(listStates(keys, schedule, at(2259)), ['retiring', 'active'])
  t.same(listStates(keys, schedule, at(2260)), ['gone', 'active'])
})

await t.test('keys that follow each other quickly each keep what they signed good', async (t) => {
  t.same(listStates(made(0, 1000, 1100), schedule, at(1350)), ['retiring', 'active', 'pending'])
  t.same(listStates(made(0, 1000, 1100), schedule, at(1400)), ['retiring', 'retiring', 'active'])
})

await t.test('no key, no state', async (t) => {
  t.same(listStates([], schedule, at(0)), [])
})
