import t from 'tap'
import { buildApp } from '../../app.ts'
import { readConfig } from '../../src/config/config.ts'
import { createHasher } from '../../src/passwords/hasher.ts'
import { registerElsewhere } from '../support/limited.ts'
import { sql, startService } from '../support/service.ts'

await t.test(
  'a service learns as it starts how long the kinds of hashes take that are stored beside its own',
  // Nothing is learnt where it fails, and so nothing comes.
  { timeout: 20_000 },
  async (t) => {
    const first = await startService(t)
    const [imported] = [await registerElsewhere(first), await registerElsewhere(first)]
    const dearer = createHasher({ memoryCost: 64, timeCost: 3, parallelism: 1 })
    t.teardown(() => dearer.close())
    const hash = await dearer.hash(imported.password)
    await sql(first, 'update users set password = $1 where username = $2', [hash, imported.username])

    const second = await buildApp(readConfig(first.env), { logStream: { write: () => undefined } })
    t.teardown(() => second.close())
    const learnt: string[] = []
    const isLearnt = new Promise<void>((resolve) => {
      t.intercept(second.passwords, 'learn', {
        value: async (stored: string) => {
          learnt.push(stored)
          resolve()
        }
      })
    })
    await second.listen({ host: '127.0.0.1', port: 0 })
    await isLearnt
    t.same(learnt, [hash], 'and not those of its own kind')
  }
)
