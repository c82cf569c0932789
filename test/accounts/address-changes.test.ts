import { sql as query } from 'drizzle-orm'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { registerAdmin } from '../support/admin.ts'
import { call, logIn, type Person, registerPerson, startSession } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { type MailServer, startMailServer, tokenIn } from '../support/mail-server.ts'
import { kinds, type Service, sql, startService } from '../support/service.ts'

const newPassword = 'another quiet evening'
const badLink = { status: 400, body: { errors: [{ path: '/body/token' }] } }

const follow = (service: Service, action: 'verify' | 'disown' | 'undo', token: string) =>
  call(service, `POST /auth/email/${action}`, { json: { token } })
const me = async (service: Service, bearer: string) => (await call(service, 'GET /auth/me', { bearer })).body as Person
const change = (service: Service, bearer: string, json: object) => call(service, 'PATCH /auth/me', { bearer, json })
const register = (service: Service, username: string, email: string) =>
  call(service, 'POST /auth/registration', { json: { username, email, password: newPassword } })

/** Somebody who has followed the link that came to their address. */
async function registerVerified(t: Test, service: Service, mail: MailServer): Promise<Person> {
  const person = await registerPerson(service)
  await follow(service, 'verify', tokenIn(await mail.mailTo(t, person.email)))
  return person
}

/** Changes an address and follows the link that comes to it. */
async function move(t: Test, service: Service, mail: MailServer, bearer: string, email: string): Promise<void> {
  await change(service, bearer, { email })
  t.equal((await follow(service, 'verify', tokenIn(await mail.mailTo(t, email)))).status, 204, `moved to ${email}`)
}

const eventsOf = async (service: Service, userId: number) =>
  (
    await service.app.database.db.query.auditEvents.findMany({
      where: (event, { and, eq, like, notInArray }) =>
        and(
          eq(event.userId, userId),
          like(event.type, 'user.%'),
          notInArray(event.type, ['user.registered', 'user.logged_in', 'user.login_failed', 'user.email_verified'])
        ),
      orderBy: (event) => event.id
    })
  ).map(({ type, details }) => ({ type, details }))

const allIsAnswered = (t: Test, service: Service) =>
  eventually(
    t,
    'nothing waits to be mailed',
    async () => (await service.app.database.db.query.jobs.findMany()).length === 0
  )

for (const kind of kinds) {
  await t.test(`addresses change when their owners say so, on ${kind}`, async (t) => {
    const mail = await startMailServer(t)
    const service = await startService(t, mail.env, kind)
    const { db } = service.app.database
    const admin = await registerAdmin(service)
    const patch = (id: number, json: object) =>
      call(service, `PATCH /admin/users/${String(id)}`, { bearer: admin.token, json })

    await t.test('another address waits until its link is followed, and the present one stays good', async (t) => {
      const person = await registerVerified(t, service, mail)
      const email = `new-${person.email}`
      const changed = await change(service, person.token, { email })
      t.match(changed, { status: 200, body: { email: person.email, email_verified: true, pending_email: email } })
      const notice = await mail.mailTo(t, person.email, 2)
      t.equal(notice.subject, 'Your e-mail address is about to change')
      t.notMatch(notice.text, email)
      const first = tokenIn(await mail.mailTo(t, email))

      await call(service, 'POST /auth/password/forgot', { json: { email } })
      await allIsAnswered(t, service)
      t.equal(mail.mailsTo(email).length, 1, 'no link for a new password goes to an address that nobody has confirmed')
      await t.rejects(logIn(service, { ...person, username: email }), /401/, 'and nobody logs in with it')
      t.ok(await logIn(service, { ...person, username: person.email }))

      t.equal((await call(service, 'POST /auth/email/verification', { bearer: person.token })).status, 202)
      const second = tokenIn(await mail.mailTo(t, email, 2))
      t.match(await follow(service, 'verify', first), badLink, 'a newer link makes it void')
      await call(service, 'POST /auth/password/forgot', { json: { email: person.email } })
      const reset = tokenIn(await mail.mailTo(t, person.email, 3))
      t.match(await follow(service, 'verify', second), { status: 204, text: '' })
      t.match(await me(service, person.token), { email, email_verified: true, pending_email: null })
      t.match(await follow(service, 'verify', second), badLink)
      const json = { token: reset, new_password: newPassword }
      t.match(await call(service, 'POST /auth/password/reset', { json }), badLink, 'links to the old address are void')
      t.match(await eventsOf(service, person.id), [
        { type: 'user.email_change_requested', details: { from: person.email, to: email } },
        { type: 'user.email_verification_requested' },
        { type: 'user.password_reset_requested' },
        { type: 'user.email_changed', details: { from: person.email, to: email } }
      ])
    })

    await t.test('the answer is the same for a taken address, and its owner is told', async (t) => {
      const [person, owner] = [await registerVerified(t, service, mail), await registerVerified(t, service, mail)]
      const wanted = owner.email.toUpperCase().replace('EXAMPLE.COM', 'example.com')
      const taken = await change(service, person.token, { email: wanted })
      t.match(taken, { status: 200, body: { email: person.email, pending_email: wanted } })
      const notice = await mail.mailTo(t, owner.email, 2)
      t.equal(notice.subject, 'Your address is in use at gatehouse.test')
      t.match(notice.text, owner.username)
      t.equal(tokenIn(notice), '')
      t.notMatch(notice.text, person.username)
      const free = await change(service, person.token, { email: `free-${owner.email}` })
      t.same(Object.keys(free.body as object), Object.keys(taken.body as object))
      t.same(
        { ...free.body, updated_at: null },
        { ...taken.body, updated_at: null, pending_email: `free-${owner.email}` }
      )
      t.match(await me(service, owner.token), { email: owner.email, email_verified: true })
    })

    await t.test('an address that another has meanwhile is not confirmed', async (t) => {
      const person = await registerVerified(t, service, mail)
      const email = `late-${person.email}`
      await change(service, person.token, { email })
      const token = tokenIn(await mail.mailTo(t, email))
      t.equal((await register(service, `late-${person.username}`, email)).status, 201, 'to want it is not to hold it')
      t.match(await follow(service, 'verify', token), { status: 409, body: { code: 'email_taken' } })
      t.match(await me(service, person.token), { email: person.email, pending_email: email })
    })

    await t.test('what is already so is no change, and the present address drops the one that waits', async (t) => {
      const person = await registerVerified(t, service, mail)
      const before = await me(service, person.token)
      for (const json of [{}, { email: person.email }, { first_name: null }]) {
        t.same((await change(service, person.token, json)).body, before)
      }
      t.same(await eventsOf(service, person.id), [], 'and there is no event')

      const email = `other-${person.email}`
      await change(service, person.token, { email })
      const token = tokenIn(await mail.mailTo(t, email))
      await change(service, person.token, { email })
      const upper = person.email.toUpperCase().replace('EXAMPLE.COM', 'example.com')
      t.match((await change(service, person.token, { email: upper })).body, {
        email: upper,
        email_verified: true,
        pending_email: null
      })
      t.match(await follow(service, 'verify', token), badLink)
      await patch(person.id, { email: person.email })
      t.same(await eventsOf(service, person.id), [
        { type: 'user.email_change_requested', details: { from: person.email, to: email } },
        { type: 'user.email_changed', details: { from: person.email, to: upper } },
        { type: 'user.email_change_dropped', details: { to: email } },
        { type: 'user.email_changed', details: { from: upper, to: person.email } }
      ])
      await allIsAnswered(t, service)
      t.equal(mail.mailsTo(email).length, 1)
    })

    await t.test('another password drops the address that waits with its link', async (t) => {
      const person = await registerVerified(t, service, mail)
      const email = `other-${person.email}`
      await change(service, person.token, { email })
      const token = tokenIn(await mail.mailTo(t, email))
      const json = { current_password: person.password, new_password: newPassword }
      await call(service, 'POST /auth/password', { bearer: person.token, json })
      const bearer = await logIn(service, { ...person, password: newPassword })
      t.match(await me(service, bearer), { pending_email: null })
      t.match(await follow(service, 'verify', token), badLink)
    })

    await t.test('the owner of the old address gets the account back, whatever the thief did since', async (t) => {
      const person = await registerVerified(t, service, mail)
      const [stolen, moved] = [`thief-${person.email}`, `hidden-${person.email}`]
      await move(t, service, mail, person.token, stolen)
      const undo = tokenIn(await mail.mailTo(t, person.email, 2))
      const json = { current_password: person.password, new_password: newPassword }
      await call(service, 'POST /auth/password', { bearer: person.token, json })
      const thief = { ...person, password: newPassword }
      await move(t, service, mail, await logIn(service, thief), moved)
      const thiefsUndo = tokenIn(mail.mailsTo(stolen).find(({ subject }) => subject?.includes('about to change'))!)
      t.match(await follow(service, 'undo', thiefsUndo), { status: 204, text: '' })
      const session = await startSession(service, thief)
      t.match(await me(service, session.access_token), { email: stolen }, 'the thief can go back one step')
      await change(service, session.access_token, { email: `third-${person.email}` })
      const pending = tokenIn(await mail.mailTo(t, `third-${person.email}`))

      t.match(
        await follow(service, 'undo', undo),
        { status: 204, text: '' },
        'and the owner still goes back to the start'
      )
      t.match(await call(service, 'GET /auth/me', { bearer: session.access_token }), {
        body: { code: 'token_revoked' }
      })
      const { refresh_token } = session
      t.equal((await call(service, 'POST /auth/refresh', { json: { refresh_token } })).status, 401)
      t.match(await follow(service, 'undo', undo), badLink, 'it works once')
      t.match(await follow(service, 'undo', tokenIn(mail.mailsTo(stolen).at(-1)!)), badLink)
      t.match(await follow(service, 'verify', pending), badLink)
      const reset = tokenIn(await mail.mailTo(t, person.email, 3))
      t.equal(
        (await call(service, 'POST /auth/password/reset', { json: { token: reset, new_password: person.password } }))
          .status,
        204
      )
      t.match(await me(service, await logIn(service, person)), {
        email: person.email,
        email_verified: true,
        pending_email: null
      })
      await t.rejects(logIn(service, thief), /401/)
      t.match((await eventsOf(service, person.id)).slice(-2), [
        { type: 'user.email_change_undone', details: { from: stolen, to: person.email } },
        { type: 'user.password_reset' }
      ])
    })

    await t.test('an undo before the new address is confirmed drops the change', async (t) => {
      const person = await registerPerson(service)
      const email = `wrong-${person.email}`
      await change(service, person.token, { email })
      const token = tokenIn(await mail.mailTo(t, email))
      t.equal((await follow(service, 'undo', tokenIn(await mail.mailTo(t, person.email, 2)))).status, 204)
      t.match(await follow(service, 'verify', token), badLink)
      t.match(await me(service, await logIn(service, person)), {
        email: person.email,
        email_verified: true,
        pending_email: null
      })
    })

    await t.test('a change can be undone for 7 days from when it happened, however long it waited', async (t) => {
      const person = await registerVerified(t, service, mail)
      const pass = (days: number) =>
        db.execute(
          query`update account_tokens set expires_at = expires_at - make_interval(days => ${days}) where user_id = ${person.id} and purpose = 'email_undo'`
        )
      const email = `slow-${person.email}`
      await change(service, person.token, { email })
      const undo = tokenIn(await mail.mailTo(t, person.email, 2))
      const token = tokenIn(await mail.mailTo(t, email))
      await pass(6)
      t.equal((await follow(service, 'verify', token)).status, 204)
      await pass(6)
      const taken = await register(service, `heir-${person.username}`, person.email)
      t.match(taken, { status: 409, body: { code: 'email_taken' } }, 'the address is kept')
      const other = await registerVerified(t, service, mail)
      t.match(await patch(other.id, { email: person.email }), { status: 409, body: { code: 'email_taken' } })
      const invitation = { username: `guest-${person.username}`, email: person.email }
      const invited = await call(service, 'POST /admin/users', { bearer: admin.token, json: invitation })
      t.match(invited, { status: 409, body: { code: 'email_taken' } })
      await change(service, other.token, { email: person.email })
      t.match(await mail.mailTo(t, person.email, 3), { subject: 'Your address is in use at gatehouse.test' })
      await pass(1)
      t.match(await follow(service, 'undo', undo), badLink)
      t.equal((await register(service, `heir-${person.username}`, person.email)).status, 201, 'and free afterwards')

      const late = `later-${person.email}`
      await change(service, person.token, { email: late })
      await mail.mailTo(t, email, 2)
      await pass(8)
      t.equal((await follow(service, 'verify', tokenIn(await mail.mailTo(t, late)))).status, 204)
      const again = await mail.mailTo(t, email, 3)
      t.equal(again.subject, 'Your e-mail address was changed', 'one that expired before the change is mailed again')
      t.equal((await follow(service, 'undo', tokenIn(again))).status, 204)
    })

    await t.test("an administrator's change is made at once, and can be undone at the old address", async (t) => {
      const [person, other] = [await registerVerified(t, service, mail), await registerVerified(t, service, mail)]
      const email = `by-admin-${person.email}`
      t.match((await patch(person.id, { email })).body, { email, email_verified: false, pending_email: null })
      const notice = await mail.mailTo(t, person.email, 2)
      t.equal(notice.subject, 'Your e-mail address was changed')
      await db.execute(
        query`update users set email = ${person.email}, email_key = ${person.email} where id = ${other.id}`
      )
      const undo = () => follow(service, 'undo', tokenIn(notice))
      t.match(await undo(), { status: 409, body: { code: 'email_taken' } })
      await db.execute(
        query`update users set email = ${other.email}, email_key = ${other.email} where id = ${other.id}`
      )
      t.equal((await undo()).status, 204, 'the refusal has not used it up')
      t.match(await me(service, await logIn(service, person)), { email: person.email, email_verified: true })
    })

    await t.test('the reader of the mail ends an account that is not theirs', async (t) => {
      const stranger = await registerPerson(service)
      const letter = await mail.mailTo(t, stranger.email)
      const upper = stranger.email.toUpperCase().replace('EXAMPLE.COM', 'example.com')
      await change(service, stranger.token, { email: upper })
      t.match(letter.text, `The account ${stranger.username.slice(0, 8)}… at gatehouse.test`)
      t.match(await follow(service, 'disown', tokenIn(letter)), { status: 204, text: '' })
      t.match(await call(service, 'GET /auth/me', { bearer: stranger.token }), { body: { code: 'token_revoked' } })
      await t.rejects(logIn(service, stranger), /401/)
      t.match(await follow(service, 'disown', tokenIn(letter)), badLink)
      t.match(await eventsOf(service, stranger.id), [
        { type: 'user.email_changed', details: {} },
        { type: 'user.deleted' },
        { type: 'user.disowned', details: { outcome: 'account_deleted' } }
      ])
      t.equal((await register(service, 'rightful-owner', stranger.email)).status, 201)
    })

    await t.test(
      'to ask for another address does not keep anyone from ending an account that is not theirs',
      async (t) => {
        const stranger = await registerPerson(service)
        const token = tokenIn(await mail.mailTo(t, stranger.email))
        const email = `mine-${stranger.email}`
        await change(service, stranger.token, { email })
        await mail.mailTo(t, email)
        t.match(await follow(service, 'disown', token), { status: 204, text: '' })
        t.match(await call(service, 'GET /auth/me', { bearer: stranger.token }), { body: { code: 'token_revoked' } })
      }
    )

    await t.test('a disowned change is dropped; an account that was proven once stays', async (t) => {
      const person = await registerVerified(t, service, mail)
      const email = `stranger-${person.email}`
      await change(service, person.token, { email })
      t.equal((await follow(service, 'disown', tokenIn(await mail.mailTo(t, email)))).status, 204)
      t.match(await me(service, person.token), { email: person.email, email_verified: true, pending_email: null })
      await patch(person.id, { email })
      const typo = tokenIn(await mail.mailTo(t, email, 2))
      t.equal((await follow(service, 'disown', typo)).status, 204)
      t.match(await me(service, person.token), { email, email_verified: false })
      t.match(await follow(service, 'verify', typo), badLink)
    })

    await t.test('the last administrator is not disowned', async (t) => {
      await db.execute(query`update users set email_verified = false where id = ${admin.id}`)
      const token = tokenIn(await mail.mailTo(t, admin.email))
      t.match(await follow(service, 'disown', token), { status: 409, body: { code: 'last_admin' } })
      t.equal((await call(service, 'GET /auth/me', { bearer: admin.token })).status, 200)
    })
  })
}

await t.test('changes of a user by two instances come one after the other', async (t) => {
  const mail = await startMailServer(t)
  const first = await startService(t, mail.env)
  const second = await startService(t, { ...first.env, ...mail.env })

  /** Does something while the user's row is locked, and lets go once that waits for it. */
  const whileLocked = async (id: number, work: (tx: postgres.TransactionSql) => Promise<unknown>) => {
    const client = postgres(first.env.DATABASE_URL!, { max: 1, onnotice: () => undefined })
    try {
      return await client.begin(async (tx) => {
        await tx`select 1 from users where id = ${id} for update`
        return { waiting: await work(tx) }
      })
    } finally {
      await client.end()
    }
  }
  const waits = (t: Test, count: number) =>
    eventually(t, 'the row is waited for', async () => {
      const [row] = await sql<{ count: string }>(
        first,
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
      )
      return Number(row?.count) >= count
    })

  await t.test('a delayed change does not make an address verified that nobody has verified', async (t) => {
    const person = await registerVerified(t, first, mail)
    const email = `new-${person.email}`
    const { waiting } = await whileLocked(person.id, async (tx) => {
      const delayed = change(first, person.token, { email: person.email, first_name: 'Ada' })
      await waits(t, 1)
      await tx`update users set email = ${email}, email_key = ${email}, email_verified = true where id = ${person.id}`
      return [delayed]
    })
    const [answer] = await Promise.all(waiting as ReturnType<typeof change>[])
    t.match(answer?.body, { first_name: 'Ada', email, email_verified: true, pending_email: person.email })
    t.match(await me(second, person.token), { email, email_verified: true })
  })

  await t.test('a link does not verify the address that an administrator gives meanwhile', async (t) => {
    const [person, admin] = [await registerPerson(first), await registerAdmin(first)]
    const token = tokenIn(await mail.mailTo(t, person.email))
    const email = `new-${person.email}`
    const { waiting } = await whileLocked(person.id, async () => {
      const changed = call(first, `PATCH /admin/users/${String(person.id)}`, { bearer: admin.token, json: { email } })
      await waits(t, 1)
      const verified = follow(second, 'verify', token)
      await waits(t, 2)
      return [changed, verified]
    })
    const [changed, verified] = await Promise.all(waiting as ReturnType<typeof change>[])
    t.equal(changed?.status, 200)
    t.match(verified, badLink)
    t.match(await me(first, person.token), { email, email_verified: false })
  })

  await t.test('a change that waits for the undo of another is refused: its session has ended', async (t) => {
    const person = await registerVerified(t, first, mail)
    await move(t, first, mail, person.token, `thief-${person.email}`)
    const undo = tokenIn(await mail.mailTo(t, person.email, 2))
    const { waiting } = await whileLocked(person.id, async () => {
      const undone = follow(first, 'undo', undo)
      await waits(t, 1)
      const changed = change(second, person.token, { email: `again-${person.email}` })
      await waits(t, 2)
      return [undone, changed]
    })
    const [undone, changed] = await Promise.all(waiting as ReturnType<typeof change>[])
    t.equal(undone?.status, 204)
    t.match(changed, { status: 401, body: { code: 'token_revoked' } })
    t.match(await me(first, await logIn(first, person)), { email: person.email, pending_email: null })
  })
})
