import t from 'tap'
import { prepareRotateSession } from '../../src/repositories/session-rotation.ts'
import { registerPerson, startSession } from '../support/client.ts'
import { sql, startService } from '../support/service.ts'

await t.test(
  'without an interval a token is used once, also by a statement that began earlier and waited',
  async (t) => {
    const service = await startService(t, { REFRESH_REUSE_INTERVAL_SECONDS: '0' })
    const { db } = service.app.database
    await startSession(service, await registerPerson(service))
    const [session] = await sql<{ id: string }>(service, 'select id from sessions order by created_at desc limit 1')
    const limits = { idle: 60, absolute: 60, reuseInterval: 0 }
    const presented = { sessionId: session!.id, counter: 0 }

    await db.transaction(async (earlier) => {
      await earlier.execute('select now()')
      t.match(await prepareRotateSession(db, limits)(presented), { counter: 1 })
      t.equal(await prepareRotateSession(earlier, limits)(presented), undefined)
    })
  }
)
