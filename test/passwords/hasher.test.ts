import { availableParallelism } from 'node:os'
import t from 'tap'
import { Problem } from '../../src/errors.ts'
import { createHasher } from '../../src/passwords/hasher.ts'

const cheap = { memoryCost: 8, timeCost: 1, parallelism: 1 }
const password = 'a long and quiet evening'

await t.test('makes argon2id hashes of the given cost, with a salt for each', async (t) => {
  const hasher = createHasher({ memoryCost: 19456, timeCost: 2, parallelism: 1 })
  t.teardown(() => hasher.close())
  const [first, second] = await Promise.all([hasher.hash(password), hasher.hash(password)])
  t.match(first, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22,}\$[A-Za-z0-9+/]{43}$/)
  t.not(first, second)
  t.ok(await hasher.verify(first, password))
  t.notOk(await hasher.verify(first, `${password} `))
})

await t.test('verifies by the parameters in the hash, and says which hashes are too weak', async (t) => {
  const weak = createHasher(cheap)
  const strong = createHasher({ memoryCost: 64, timeCost: 2, parallelism: 1 })
  t.teardown(() => Promise.all([weak.close(), strong.close()]))
  const hash = await weak.hash(password)
  t.ok(await strong.verify(hash, password))
  t.ok(strong.needsRehash(hash))
  t.notOk(strong.needsRehash(await strong.hash(password)))
  t.notOk(weak.needsRehash(await strong.hash(password)), 'a stronger one is kept')
  t.ok(strong.needsRehash('$2b$12$abcdefghijklmnopqrstuuWQ6H1QeYq8Lw1x1x1x1x1x1x1x1x1x1'), 'another kind')
  t.ok(strong.needsRehash('$argon2i$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$c29tZWhhc2g'), 'another argon2')
})

await t.test('without a hash the answer is no, whatever the password', async (t) => {
  let reports = 0
  const hasher = createHasher(cheap, () => (reports += 1))
  t.teardown(() => hasher.close())
  for (const hash of [null, undefined]) t.equal(await hasher.verify(hash, ''), false)
  t.equal(reports, 0, 'and that is nothing to report')
})

await t.test('a hash that cannot be read matches nothing and is reported', async (t) => {
  let reports = 0
  const hasher = createHasher(cheap, () => (reports += 1))
  t.teardown(() => hasher.close())
  const unreadable = ['', 'plain text', '$argon2id$v=19$m=8,t=1,p=1$!!$!!', '$argon2id$', '$2b$12$short']
  for (const hash of unreadable) t.equal(await hasher.verify(hash, hash), false, hash)
  t.equal(reports, unreadable.length)
})

await t.test(
  'refuses at once what would wait behind too much, does all it has accepted, and then goes on',
  async (t) => {
    const hasher = createHasher({ memoryCost: 1024, timeCost: 2, parallelism: 1 })
    t.teardown(() => hasher.close())
    const most = availableParallelism() * 33
    const order: string[] = []
    const outcomes = await Promise.all(
      Array.from({ length: most + 50 }, () =>
        hasher.hash(password).then(
          () => order.push('hashed'),
          (error: unknown) => {
            order.push('refused')
            return error
          }
        )
      )
    )
    const refusals = outcomes.filter((outcome) => outcome instanceof Problem)
    t.ok(refusals.length >= 50, `${String(refusals.length)} of ${String(outcomes.length)} refused`)
    t.ok(refusals.every(({ code }) => code === 'overloaded'))
    t.equal(order.filter((outcome) => outcome === 'hashed').length, outcomes.length - refusals.length)
    t.equal(order.lastIndexOf('refused'), refusals.length - 1, 'every refusal came before the first hash was done')
    t.ok(await hasher.verify(await hasher.hash(password), password))
  }
)

await t.test(
  'the answer without a hash, or with one that cannot be read, takes a verification of the full cost',
  async (t) => {
    const cost = { memoryCost: 65_536, timeCost: 3, parallelism: 1 }
    const hasher = createHasher(cost)
    t.teardown(() => hasher.close())
    const hash = await hasher.hash(password)
    async function fastest(stored: string | null): Promise<number> {
      const times = []
      for (let round = 0; round < 5; round++) {
        const start = performance.now()
        await hasher.verify(stored, 'not the password')
        times.push(performance.now() - start)
      }
      return Math.min(...times)
    }
    const real = await fastest(hash)
    for (const stored of [null, 'rubbish']) {
      const ratio = (await fastest(stored)) / real
      t.ok(ratio > 0.5 && ratio < 2, `${String(ratio)} times as long as a real one`)
    }
  }
)
