import { sql } from 'drizzle-orm'
import t from 'tap'
import { openDatabase } from '../../src/database/open.ts'
import { registerAdmin } from '../support/admin.ts'
import { call, cookiesOf, registerPerson, startSession } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startMailServer, tokenIn } from '../support/mail-server.ts'
import { askToken, createClient, introspect, tokenOf } from '../support/service-client.ts'
import { kinds, type Service, startService } from '../support/service.ts'

/** Takes a database back to the schema of version 0.1, with its mails and requests where that version had them. */
async function goBack({ env }: Service): Promise<void> {
  const { db, close } = await openDatabase({ url: env.DATABASE_URL!, listenUrl: env.DATABASE_URL!, poolSize: 1 })
  await db.execute(sql`
    insert into outbox (user_id, token_id, recipient, template, language, variables, priority, created_at)
    select user_id, link_id, payload ->> 'recipient', payload ->> 'template', payload ->> 'language',
      payload - 'recipient' - 'template' - 'language', priority, created_at
    from jobs order by id`)
  await db.execute(sql`
    insert into outbox (recipient, template, language, priority)
    select email, 'password_reset_request', 'en', -1 from users where username like 'forgetful%'`)
  await db.execute(sql`drop table jobs`)
  await db.execute(sql`
    delete from drizzle.__drizzle_migrations where created_at = (select max(created_at) from drizzle.__drizzle_migrations)`)
  await close()
}

for (const kind of kinds) {
  await t.test(`a database of version 0.1 is upgraded, and nobody notices, on ${kind}`, async (t) => {
    const before = await startService(t, {}, kind)
    const person = await registerPerson(before)
    const forgetful = await registerPerson(before, 'forgetful')
    const admin = await registerAdmin(before)
    const session = await startSession(before, person)
    const cookies = await call(before, 'POST /auth/login', {
      json: { username: person.username, password: person.password }
    })
    const client = await createClient(before, { name: 'billing', isReader: true, scopes: ['introspect'] })
    const clientToken = await tokenOf(before, client)
    await eventually(
      t,
      'three verification mails wait',
      async () => before.log.filter((line) => line.includes('mail written')).length === 3
    )
    await before.close()
    await goBack(before)

    const mail = await startMailServer(t)
    const after = await startService(t, { ...before.env, ...mail.env }, kind)
    t.equal((await call(after, 'GET /auth/me', { bearer: session.access_token })).status, 200)
    t.equal((await call(after, 'GET /auth/me', { cookie: cookiesOf(cookies) })).status, 200)
    t.equal((await call(after, 'GET /admin/users', { bearer: admin.token })).status, 200, 'roles are those of before')
    const refreshed = await call(after, 'POST /auth/refresh', { json: { refresh_token: session.refresh_token } })
    t.equal(refreshed.status, 200)
    t.equal(
      (await call(after, 'GET /auth/me', { bearer: clientToken })).status,
      403,
      'a client is known, and is no user'
    )
    t.match(await introspect(after, client, clientToken), '"active":true')
    t.equal((await askToken(after, client)).status, 200)

    const verification = await mail.mailTo(t, person.email)
    t.match(verification.messageId, /^<\d+\.\d+\.gatehouse@/)
    t.equal((await call(after, 'POST /auth/email/verify', { json: { token: tokenIn(verification) } })).status, 204)
    await eventually(t, 'what was asked for before is mailed', async () =>
      mail.mailsTo(forgetful.email).some(({ subject }) => subject === 'Set a new password')
    )
    const reset = mail.mailsTo(forgetful.email).find(({ subject }) => subject === 'Set a new password')!
    const json = { token: tokenIn(reset), new_password: 'another long and quiet evening' }
    t.equal((await call(after, 'POST /auth/password/reset', { json })).status, 204)
  })
}
