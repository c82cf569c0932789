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
    const cost = { memoryCost: 16_384, timeCost: 3, parallelism: 1 }
    const hasher = createHasher(cost)
    t.teardown(() => hasher.close())
    const hash = await hasher.hash(password)
    const kinds = [hash, null, 'rubbish']
    const times = kinds.map(() => Infinity)
    // In turn, so that whatever else the machine does slows down all alike.
    for (let round = 0; round < 7; round++) {
      for (const [index, stored] of kinds.entries()) {
        const start = performance.now()
        await hasher.verify(stored, 'not the password')
        times[index] = Math.min(times[index] ?? 0, performance.now() - start)
      }
    }
    const [real = 0, ...others] = times
    for (const time of others) {
      // A hash of the least cost is a thousand times as quick: the machine cannot make up for that.
      t.ok(time > real / 10 && time < real * 10, `${String(time)} and ${String(real)} ms`)
    }
  }
)

await t.test(
  'a wrong password waits for what its hash was quicker than the costliest, a right one for nothing',
  async (t) => {
    const present = { memoryCost: 8192, timeCost: 2, parallelism: 1 }
    const dearer = { memoryCost: 16_384, timeCost: 8, parallelism: 1 }
    const makers = [cheap, present, dearer].map((cost) => createHasher(cost))
    const waits: number[] = []
    const hasher = createHasher(present, undefined, async (milliseconds) => {
      waits.push(milliseconds)
    })
    t.teardown(() => Promise.all([...makers, hasher].map((one) => one.close())))
    const [older = '', own = '', imported = ''] = await Promise.all(makers.map((maker) => maker.hash(password)))
    /** What several wrong passwords waited: one alone may have been held up by the machine. */
    async function waitsOf(hash: string | null): Promise<number> {
      waits.length = 0
      for (let round = 0; round < 5; round++) t.notOk(await hasher.verify(hash, 'not the password'))
      return waits.length
    }
    t.ok((await waitsOf(older)) > 0, 'from before the cost was raised')
    t.equal(await waitsOf(own), 0, 'those of the present cost')
    t.equal(await waitsOf(null), 0, 'nor for a name that nobody has')
    await hasher.learn(imported)
    t.ok((await waitsOf(own)) > 0, 'when a costlier kind has been imported')
    t.ok((await waitsOf(null)) > 0, 'for a name that nobody has, too')
    t.equal(await waitsOf(imported), 0)
    waits.length = 0
    t.ok(await hasher.verify(older, password))
    t.same(waits, [], 'a right password waits for nothing')
  }
)

await t.test('who is known finds a place where strangers find none', async (t) => {
  const hasher = createHasher({ memoryCost: 1024, timeCost: 2, parallelism: 1 })
  t.teardown(() => hasher.close())
  const ask = (caller: 'known' | 'stranger') => hasher.verify(null, password, caller).catch((error: unknown) => error)
  const strangers = Array.from({ length: availableParallelism() * 33 + 50 }, () => ask('stranger'))
  const known = Array.from({ length: availableParallelism() * 8 }, () => ask('known'))
  const refusals = async (answers: Promise<unknown>[]) =>
    (await Promise.all(answers)).filter((outcome) => outcome instanceof Problem).length
  t.ok((await refusals(strangers)) >= 50, 'strangers have filled the queue')
  t.equal(await refusals(known), 0)
})
