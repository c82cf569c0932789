import { createHash, createHmac } from 'node:crypto'
import t from 'tap'
import { call, registerPerson, startSession, type Tokens } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { type Service, sql, startService } from '../support/service.ts'

const refresh = (service: Service, refresh_token: string) =>
  call(service, 'POST /auth/refresh', { json: { refresh_token } })

const statusOf = async (service: Service, bearer: string) => (await call(service, 'GET /authz', { bearer })).status

await t.test('two instances on one database', async (t) => {
  const first = await startService(t)
  const second = await startService(t, first.env)
  const instances = [first, second]
  const person = await registerPerson(first)

  await t.test('parallel refreshes of one token give one successor, which refreshes again', async (t) => {
    const session = await startSession(first, person)
    let token = session.refresh_token
    for (let round = 1; round <= 10; round++) {
      const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => refresh(instances[n % 2]!, token)))
      const successors = new Set(answers.map((answer) => (answer.body as Tokens).refresh_token))
      t.same([...new Set(answers.map((answer) => answer.status))], [200], `round ${String(round)}`)
      t.equal(successors.size, 1)
      token = [...successors][0]!
    }
    const [row] = await sql(first, 'select refresh_counter from sessions order by last_used_at desc limit 1')
    t.equal(row!.refresh_counter, 10, 'each round moved the session on once')
  })

  await t.test('after a logout that raced a refresh nothing is usable, in either order', async (t) => {
    let usable = 0
    for (let round = 0; round < 100; round++) {
      const session = await startSession(first, person)
      const [refreshed] = await Promise.all([
        refresh(second, session.refresh_token),
        call(first, 'POST /auth/logout', { bearer: session.access_token })
      ])
      const tokens = refreshed.status === 200 ? [session, refreshed.body as Tokens] : [session]
      for (const { access_token, refresh_token } of tokens) {
        if ((await statusOf(first, access_token)) === 204) usable++
        if ((await refresh(first, refresh_token)).status === 200) usable++
      }
    }
    t.equal(usable, 0)
  })

  await t.test('a logout on one instance is felt on the other', async (t) => {
    const session = await startSession(first, person)
    t.equal(await statusOf(second, session.access_token), 204)
    await call(first, 'POST /auth/logout', { bearer: session.access_token })
    t.equal(await statusOf(first, session.access_token), 401, 'at once on the same instance')
    await eventually(t, 'refused on the other', async () => (await statusOf(second, session.access_token)) === 401)
  })

  await t.test('it is still refused by an instance that starts afterwards, and so is a reused token', async (t) => {
    const session = await startSession(first, person)
    const reused = await startSession(first, person)
    const r1 = ((await refresh(first, reused.refresh_token)).body as Tokens).refresh_token
    await refresh(first, r1)
    await call(first, 'POST /auth/logout', { bearer: session.access_token })
    const third = await startService(t, first.env)
    t.equal(await statusOf(third, session.access_token), 401)
    t.match((await refresh(third, reused.refresh_token)).body, { code: 'refresh_token_reused' })
  })

  await t.test('a withdrawn role is refused at once, and a token refreshed after the change is good', async (t) => {
    const other = await registerPerson(first)
    const session = await startSession(first, other)
    t.equal((await call(second, 'GET /authz/author', { bearer: session.access_token })).status, 403)
    await first.app.operations.updateUser({ username: other.username }, { isAuthor: true }, {})
    t.match((await call(first, 'GET /authz/author', { bearer: session.access_token })).body, { code: 'token_revoked' })
    const fresh = (await refresh(first, session.refresh_token)).body as Tokens
    t.equal((await call(first, 'GET /authz/author', { bearer: fresh.access_token })).status, 204)

    await first.app.operations.updateUser({ username: other.username }, { isAuthor: false }, {})
    await eventually(t, 'refused on the other', async () => (await statusOf(second, fresh.access_token)) === 401)
    const demoted = (await refresh(second, fresh.refresh_token)).body as Tokens
    t.equal((await call(second, 'GET /authz/author', { bearer: demoted.access_token })).status, 403)
    t.equal((await call(second, 'GET /authz/reader', { bearer: demoted.access_token })).status, 204)
  })

  await t.test('an instance without notifications asks the database, until they are back', async (t) => {
    for (let round = 0; round < 5; round++) {
      const session = await startSession(first, person)
      t.equal(await statusOf(second, session.access_token), 204)
      await sql(
        first,
        `select pg_terminate_backend(pid) from pg_stat_activity
                        where application_name = 'gatehouse-listener' and datname = current_database()`
      )
      await call(first, 'POST /auth/logout', { bearer: session.access_token })
      const answers = new Set<number>()
      await eventually(t, 'refused although the notification was lost', async () => {
        const status = await statusOf(second, session.access_token)
        answers.add(status)
        return status === 401
      })
      t.notOk(
        [...answers].some((status) => status >= 500),
        'the database was there to be asked'
      )
    }
    t.ok(second.log.some((line) => line.includes('notifications lost')))
    await eventually(t, 'notifications are back', () => {
      return Promise.resolve(
        second.log.filter((line) => line.includes('notifications of revocations arrive')).length > 1
      )
    })
  })

  await t.test('a table of revocations that cannot be read lets nobody in', async (t) => {
    const session = await startSession(first, person)
    await sql(first, 'alter table sessions rename to sessions_away')
    await sql(first, 'alter table revocations rename to revocations_away')
    await sql(
      first,
      `select pg_terminate_backend(pid) from pg_stat_activity
                      where application_name = 'gatehouse-listener' and datname = current_database()`
    )
    await eventually(t, 'not answered from memory', async () => (await statusOf(second, session.access_token)) >= 500)
    await sql(first, 'alter table sessions_away rename to sessions')
    await sql(first, 'alter table revocations_away rename to revocations')
    await eventually(t, 'answered again', async () => (await statusOf(second, session.access_token)) === 204)
  })
})

await t.test('a copy of the database holds nothing that can be turned into a token', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  const session = await startSession(service, person)
  const tables = await sql<{ name: string }>(
    service,
    "select table_name as name from information_schema.tables where table_schema = 'public'"
  )
  const dump = JSON.stringify(await Promise.all(tables.map(({ name }) => sql(service, `select * from ${name}`))))
  t.ok(dump.includes(person.username), 'the dump holds what it should')
  for (const secret of [session.refresh_token, session.access_token, person.password]) {
    const bytes = Buffer.from(secret, 'base64url')
    for (const form of [
      secret,
      bytes.toString('hex'),
      bytes.toString('base64'),
      createHash('sha256').update(secret).digest('hex')
    ]) {
      t.notOk(dump.includes(form))
    }
  }

  const [row] = await sql<{ id: string; refresh_counter: number }>(
    service,
    'select * from sessions order by created_at desc'
  )
  const body = Buffer.from(session.refresh_token, 'base64url').subarray(0, 24)
  const known = [row!.id, '', person.username, JSON.stringify(row), '\0'.repeat(32), body]
  for (const key of known) {
    const forged = Buffer.concat([body, createHmac('sha256', key).update(body).digest()]).toString('base64url')
    t.match((await refresh(service, forged)).body, { code: 'refresh_token_invalid' })
  }
  t.equal((await refresh(service, row!.id)).status, 401, 'nor is a column a token')
  t.equal((await refresh(service, session.refresh_token)).status, 200)
})

await t.test('a login in a browser that has cookies already starts a session of its own', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  const cookie = `access_token=${person.token}; refresh_token=${(await startSession(service, person)).refresh_token}`
  const login = await call(service, 'POST /auth/login', {
    cookie,
    json: { username: person.username, password: person.password }
  })
  const sid = (token: string) =>
    (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { sid: string }).sid
  t.not(sid((login.body as Tokens).access_token), sid(person.token))
})
