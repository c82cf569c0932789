import { randomBytes } from 'node:crypto'
import t from 'tap'
import { call, logIn, type Person, registerPerson } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { from, letPass, registerElsewhere, somewhere, startLimited, statuses, times } from '../support/limited.ts'
import { type Service, sql } from '../support/service.ts'
import { toColumn } from '../../src/roles.ts'

// Without a mail server, mails wait in the outbox, where they can be counted.
const service = await startLimited(t, { REQUIRE_VERIFIED_EMAIL: 'on' })

const password = 'a long and quiet evening'
const anybody = () => `somebody-${randomBytes(6).toString('hex')}`

const register = (username: string, email: string, address = somewhere()) =>
  call(service, 'POST /auth/registration', { json: { username, email, password }, headers: from(address) })

const forget = (email: string, address = somewhere()) =>
  call(service, 'POST /auth/password/forgot', { json: { email }, headers: from(address) })

interface Mail {
  template: string
  recipient: string
  delay: number
}

/** What was written, once all that was asked for is answered. */
async function mails(t: Parameters<typeof eventually>[0], { env }: Pick<Service, 'env'> = service): Promise<Mail[]> {
  const isAnswered = async () => (await sql({ env }, "select 1 from jobs where kind <> 'mail'")).length === 0
  await eventually(t, 'every request is answered', isAnswered)
  return sql<Mail>(
    { env },
    `select payload ->> 'template' as template, payload ->> 'recipient' as recipient,
       round(extract(epoch from due_at - created_at))::integer as delay
     from jobs order by id`
  )
}

const mailsTo = async (t: Parameters<typeof eventually>[0], address: string) =>
  (await mails(t)).filter(({ recipient }) => recipient === address).map(({ template }) => template)

/** Somebody whose address is verified, logged in. */
async function registerVerified(role?: 'admin'): Promise<Omit<Person, 'id'> & { id: number }> {
  const person = await registerElsewhere(service)
  const [row] = await sql<{ id: number }>(
    service,
    'update users set email_verified = true where email = $1 returning id',
    [person.email]
  )
  if (role !== undefined)
    await service.app.operations.updateUser({ username: person.username }, { [toColumn(role)]: true }, {})
  return { ...person, id: row!.id, token: await logIn(service, person) }
}

const withheld = (userId: number) =>
  sql<{ details: object; ip: string | null }>(
    service,
    "select details, ip from audit_events where type = 'mail.withheld' and user_id = $1 order by id",
    [userId]
  )

await t.test('a known address that others register again and again is told five times an hour', async (t) => {
  const owner = await registerVerified()
  const answers = await times(25, () => register(anybody(), owner.email))
  t.same(statuses(answers), Array<number>(25).fill(201), 'the caller who registers learns nothing of it')
  const notices = async () =>
    (await mailsTo(t, owner.email)).filter((template) => template === 'registration_attempt').length
  t.equal(await notices(), 5)
  t.match(await withheld(owner.id), [{ details: { template: 'registration_attempt', budget: 'recipient' } }])
  t.equal((await withheld(owner.id)).length, 1, 'an administrator sees that it happens, once an hour')

  await forget(owner.email)
  t.ok((await mailsTo(t, owner.email)).includes('password_reset'), 'other mails come all the same')
  await letPass(service, 60 * 60)
  await register(anybody(), owner.email)
  t.equal(await notices(), 6, 'after an hour there are more')
})

await t.test(
  'mail requested to an address that nobody has takes nothing from the user who registers it then',
  async (t) => {
    const email = `${anybody()}@example.com`
    t.same(statuses(await times(12, () => forget(email))), Array<number>(12).fill(202))
    t.equal((await register(anybody(), email)).status, 201)
    t.same(await mailsTo(t, email), ['email_verification'])
    t.same(
      await sql(service, "select 1 from rate_limits where key like 'mail:password_reset:%' and points > 5"),
      [],
      'what was never written is not counted'
    )
  }
)

await t.test('a user who wants an address takes nothing from the user who registers with it', async (t) => {
  const email = `${anybody()}@example.com`
  const { token: bearer, id } = await registerVerified()
  t.match(await call(service, 'PATCH /auth/me', { bearer, json: { email } }), { status: 200 })
  await mails(t)
  await sql(service, "update rate_limits set points = 6 where key like 'mail:email_verification:other:%'")
  await call(service, 'POST /auth/email/verification', { bearer })
  // Else the request would find the address taken.
  await mails(t)
  t.equal((await register(anybody(), email)).status, 201)
  t.same(await mailsTo(t, email), ['email_verification', 'email_verification'], 'one for each account')
  t.match(await withheld(id), [], 'what was withheld before is told once an hour')
  const [link] = await sql(service, 'select 1 from account_tokens where user_id = $1 and email_key = $2', [id, email])
  t.ok(link, 'and the latest link of who wants it is good')
})

await t.test(
  'a forgotten password is mailed five times an hour, regardless of who asks, and the latest link is good',
  async (t) => {
    const owner = await registerVerified()
    await times(8, () => forget(owner.email))
    const written = await mailsTo(t, owner.email)
    t.equal(
      written.filter((template) => template === 'password_reset').length,
      1,
      'a newer link takes the older mail along'
    )
    const [count] = await sql<{ points: number }>(
      service,
      'select points from rate_limits where key like $1 order by points desc limit 1',
      [`mail:password_reset:${String(owner.id)}:%`]
    )
    t.equal(count?.points, 6)
    const links = await sql(service, "select 1 from account_tokens where user_id = $1 and purpose = 'password_reset'", [
      owner.id
    ])
    t.equal(links.length, 1, 'the link of the fifth mail')
  }
)

await t.test('who makes the service write to many strangers is stopped after twenty an hour', async (t) => {
  const { token, id } = await registerVerified()
  const answers = await times(40, () =>
    call(service, 'PATCH /auth/me', { bearer: token, json: { email: `${anybody()}@example.org` } })
  )
  t.same(statuses(answers), Array<number>(40).fill(200))
  await mails(t)
  const [sender] = await sql<{ points: number }>(service, 'select points from rate_limits where key = $1', [
    `mails-by:user:${String(id)}`
  ])
  t.equal(sender?.points, 21, 'twenty, and one that was too many')
  const events = await sql(
    service,
    "select 1 from audit_events where type = 'mail.withheld' and actor_id = $1 and details ->> 'budget' = 'sender'",
    [id]
  )
  t.equal(events.length, 1)
})

await t.test('strangers of one network cause a hundred mails an hour, whatever they ask for', async (t) => {
  const [one, other] = [somewhere(), somewhere()]
  const owners = [await registerVerified(), await registerVerified()]
  await forget(owners[0]!.email, one)
  await mails(t)
  await sql(service, 'update rate_limits set points = 100 where key = $1', [`mails-by:network:${one}`])
  await forget(owners[1]!.email, one)
  t.notOk((await mailsTo(t, owners[1]!.email)).includes('password_reset'))
  await forget(owners[1]!.email, other)
  t.ok((await mailsTo(t, owners[1]!.email)).includes('password_reset'), 'others cause theirs')
})

await t.test('no budget of a sender keeps owners from learning of what is done in their account', async (t) => {
  const { token, id, email } = await registerVerified()
  await sql(service, "insert into rate_limits values ($1, 21, now() + interval '1 hour')", [
    `mails-by:user:${String(id)}`
  ])
  const json = { current_password: password, new_password: 'another quiet evening' }
  t.equal((await call(service, 'POST /auth/password', { bearer: token, json })).status, 200)
  t.ok((await mailsTo(t, email)).includes('password_changed'))
})

await t.test('an invitation that cannot be mailed is none: it is refused with the time to wait', async (t) => {
  const { token: bearer, id } = await registerVerified('admin')
  const invite = (name: string) =>
    call(service, 'POST /admin/users', { bearer, json: { username: name, email: `${name}@example.com` } })
  const points = async () =>
    (await sql<{ points: number }>(service, 'select points from rate_limits where key = $1', [sender]))[0]?.points
  const sender = `mails-by:administrator:${String(id)}`
  const [first, second] = [anybody(), anybody()]
  t.equal((await invite(first)).status, 201)
  t.equal((await invite(first)).status, 409)
  t.equal(await points(), 1, 'what was rolled back is not counted')
  await sql(service, 'update rate_limits set points = 200 where key = $1', [sender])
  const refused = await invite(second)
  t.match(refused, { status: 429, body: { code: 'rate_limited', detail: 'Too many invitations' } })
  const wait = Number(refused.headers.get('retry-after'))
  t.ok(wait > 3500 && wait <= 3600, String(wait))
  t.same(await sql(service, 'select 1 from users where username = $1', [second]), [], 'and no user is left without one')
  await letPass(service, wait)
  t.equal((await invite(second)).status, 201)
})

await t.test('who causes many mails at once lets those of others go first', async (t) => {
  const { token: bearer } = await registerVerified('admin')
  const names = await times(12, async () => anybody())
  for (const name of names) {
    const json = { username: name, email: `${name}@example.com` }
    t.equal((await call(service, 'POST /admin/users', { bearer, json })).status, 201)
  }
  const invited = (await mails(t)).filter(({ recipient }) => names.some((name) => recipient === `${name}@example.com`))
  t.same(
    invited.map(({ delay }) => delay),
    [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6]
  )
})

await t.test('where the counts cannot be kept no mail is written, and none is lost', async (t) => {
  const owner = await registerVerified()
  await sql(service, 'alter table rate_limits rename to rate_limits_away')
  t.equal((await forget(owner.email)).status, 202)
  await eventually(t, 'it is tried', async () => {
    const rows = await sql(service, "select 1 from jobs where kind = 'password_reset_request' and attempts > 0")
    return rows.length === 1
  })
  const written = "select 1 from jobs where payload ->> 'template' = 'password_reset' and payload ->> 'recipient' = $1"
  t.same(await sql(service, written, [owner.email]), [])
  await sql(service, 'alter table rate_limits_away rename to rate_limits')
  await sql(service, "update jobs set due_at = now() where kind = 'password_reset_request'")
  t.ok((await mailsTo(t, owner.email)).includes('password_reset'))
})

await t.test('with RATE_LIMIT=off nothing is counted', async (t) => {
  const unlimited = await startLimited(t, { RATE_LIMIT: 'off' })
  const { token, email } = await registerPerson(unlimited)
  await times(7, () => call(unlimited, 'POST /auth/email/verification', { bearer: token }))
  t.same(await sql(unlimited, 'select 1 from rate_limits'), [])
  t.match(await mails(t, unlimited), [{ template: 'email_verification', recipient: email, delay: 0 }])
})
