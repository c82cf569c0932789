import t from 'tap'
import { sweep } from '../src/repositories/expired-rows.ts'
import { registerPerson, startSession, call } from './support/client.ts'
import { kinds, startService } from './support/service.ts'
import { sql } from 'drizzle-orm'

for (const kind of kinds) {
  await t.test(
    `what has expired is swept by whichever instance comes first, and nothing else, on ${kind}`,
    async (t) => {
      const service = await startService(t, {}, kind)
      const { db } = service.app.database
      const person = await registerPerson(service)
      const expired = await startSession(service, person)
      await db.execute(sql`
      insert into sessions (user_id, expires_at, sweep_after)
      select ${person.id}, now() - interval '2 days', now() - interval '1 day' from generate_series(1, 1200)`)
      await db.execute(sql`insert into revocations (session_id, created_at)
      select gen_random_uuid(), now() - interval '25 hours' from generate_series(1, 600)`)
      await db.execute(sql`insert into revocations (session_id, created_at)
      select gen_random_uuid(), now() - interval '24 hours'`)
      await db.execute(sql`insert into rate_limits (key, points, expire)
      select 'login:' || n, 1, now() + (n - 700.5) * interval '1 hour' from generate_series(1, 701) n`)
      await db.execute(sql`insert into audit_events (type, created_at)
      select 'user.logged_in', now() - interval '31 days' from generate_series(1, 700)`)
      await db.execute(sql`insert into audit_events (type, created_at) values
      ('user.logged_in', now() - interval '29 days'), ('key.activated', now() - interval '400 days')`)
      await call(service, 'POST /auth/logout', { bearer: expired.access_token })

      const swept = await Promise.all([1, 2, 3].map(() => sweep(db, { auditRetention: 30 })))
      t.equal(
        swept.reduce((a, b) => a + b, 0),
        3200,
        'each row once, whichever instance took it'
      )
      const left = await db.query.sessions.findMany()
      t.equal(left.length, 1, 'the session that is alive')
      t.equal((await db.query.rateLimits.findMany()).length, 1, 'the count that is not over')
      t.equal((await db.query.revocations.findMany()).length, 2, 'revocations that matter at some lifetime of tokens')
      const old = await db.query.auditEvents.findMany({ where: sql`created_at < now() - interval '1 day'` })
      t.same(old.map(({ type }) => type).sort(), ['key.activated', 'user.logged_in'], 'what is kept longer')
      t.equal((await call(service, 'GET /auth/me', { bearer: person.token })).status, 200)
    }
  )
}
