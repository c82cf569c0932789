import t, { type Test } from 'tap'
import { prepareRotateSession } from '../../src/repositories/session-rotation.ts'
import { createUnansweredRefreshes } from '../../src/sessions/unanswered-refreshes.ts'
import { call, registerPerson, startSession, type Tokens } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startProxy } from '../support/proxy.ts'
import { type Service, sql, startService } from '../support/service.ts'

const refresh = (service: Service, refresh_token: string) =>
  call(service, 'POST /auth/refresh', { json: { refresh_token } })

/** Another instance of a service, with a network of its own to the database. */
async function startBehindProxy(t: Test, service: Service) {
  const url = new URL(service.env.DATABASE_URL!)
  const proxy = await startProxy(t, Number(url.port))
  url.port = String(proxy.port)
  // One connection, on which the statement is prepared, so that it is sent at once.
  const instance = await startService(t, { ...service.env, DATABASE_URL: url.href, DATABASE_POOL_SIZE: '1' })
  return { instance, proxy }
}

await t.test('a refresh that was answered with 503, on two instances', async (t) => {
  const direct = await startService(t)
  const { instance, proxy } = await startBehindProxy(t, direct)
  const person = await registerPerson(direct)
  const passTime = (seconds: number) =>
    sql(direct, `update sessions set rotated_at = rotated_at - interval '${String(seconds)} seconds'`)
  const stateOf = async (counter: number) =>
    (await sql(direct, `select unanswered_counter from sessions where refresh_counter = ${String(counter)}`))[0]

  /** @returns tokens of which the last was used and its use not answered, twelve seconds ago */
  async function loseAnswer(t: Test) {
    let tokens = { first: '', second: '' }
    // Now and then what is lost is another answer, for which the only connection was used: to a listener that is back.
    await eventually(t, 'the database moved a session on, and the answer was lost', async () => {
      proxy.restore()
      await sql(direct, 'delete from sessions')
      const { refresh_token: first } = await startSession(direct, person)
      const answer = await refresh(instance, first)
      if (answer.status === 503) return false
      const { refresh_token: second } = answer.body as Tokens
      tokens = { first, second }
      proxy.loseAnswers()
      const lost = await refresh(instance, second)
      t.match([lost.status, lost.headers.get('retry-after')], [503, '1'])
      return (await stateOf(2)) !== undefined
    })
    await passTime(12)
    t.equal((await refresh(instance, tokens.second)).status, 503, 'the outage goes on')
    return tokens
  }

  async function isPresentToken(t: Test, answer: Awaited<ReturnType<typeof refresh>>) {
    t.equal(answer.status, 200)
    t.equal((await refresh(direct, (answer.body as Tokens).refresh_token)).status, 200)
  }

  await t.test('can be retried with the same token after the reuse interval, on the same instance', async (t) => {
    const { second } = await loseAnswer(t)
    proxy.restore()
    let answer = await refresh(instance, second)
    await eventually(t, 'it is answered', async () => {
      if (answer.status === 503) answer = await refresh(instance, second)
      return answer.status !== 503
    })
    await isPresentToken(t, answer)
  })

  await t.test('can be retried on another instance, which is told by the database', async (t) => {
    const { second } = await loseAnswer(t)
    proxy.restore()
    await eventually(t, 'it is marked', async () => (await stateOf(2))?.unanswered_counter === 1)
    await isPresentToken(t, await refresh(direct, second))
  })

  await t.test('is reuse again once it was answered, and an older token always is', async (t) => {
    const { first, second } = await loseAnswer(t)
    proxy.restore()
    await eventually(t, 'it is marked', async () => (await stateOf(2))?.unanswered_counter === 1)
    t.equal((await refresh(direct, second)).status, 200)
    t.equal((await refresh(direct, second)).status, 200, 'the interval begins anew')
    await passTime(12)
    t.match((await refresh(direct, second)).body, { code: 'refresh_token_reused' })

    const again = await loseAnswer(t)
    proxy.restore()
    await eventually(t, 'it is marked', async () => (await stateOf(2))?.unanswered_counter === 1)
    t.match((await refresh(direct, again.first)).body, { code: 'refresh_token_reused' })
    t.match((await refresh(direct, again.second)).body, { code: 'refresh_token_invalid' }, 'the session has ended')
    t.not(first, again.first)
  })

  await t.test('a token that was spent before the outage is not excused by it', async (t) => {
    await sql(direct, 'delete from sessions')
    const { refresh_token: spent } = await startSession(direct, person)
    const { refresh_token: present } = (await refresh(instance, spent)).body as Tokens
    await passTime(60)
    proxy.loseAnswers()
    t.equal((await refresh(instance, spent)).status, 503)
    proxy.restore()
    let answer = await refresh(instance, spent)
    await eventually(t, 'it is judged', async () => {
      if (answer.status === 503) answer = await refresh(direct, spent)
      return answer.status !== 503
    })
    t.match(answer.body, { code: 'refresh_token_reused' })
    t.match((await refresh(direct, present)).body, { code: 'refresh_token_invalid' })
  })

  await t.test('an instance that lost the database a moment ago leaves others the time to say so', async (t) => {
    await sql(direct, 'delete from sessions')
    const { refresh_token: first } = await startSession(direct, person)
    const { refresh_token: second } = (await refresh(direct, first)).body as Tokens
    await refresh(direct, second)
    await passTime(12)
    proxy.cut()
    await eventually(t, 'it is back', async () => (await call(instance, 'GET /health/ready')).status === 200)
    const early = await refresh(instance, second)
    t.match([early.status, early.body, early.headers.get('retry-after')], [503, { code: 'unavailable' }, '1'])
    t.match((await refresh(direct, second)).body, { code: 'refresh_token_reused' }, 'another knows of no outage')
  })
})

await t.test('what is remembered of unanswered refreshes', async (t) => {
  const service = await startService(t)
  const { db } = service.app.database
  const person = await registerPerson(service)
  const limits = { idle: 60, absolute: 60, reuseInterval: 10 }
  const rotate = prepareRotateSession(db, limits)
  let time = 0
  const unanswered = createUnansweredRefreshes({
    db,
    limits,
    reachableFor: () => Infinity,
    now: () => time,
    // Never by itself: it would meet this clock and the database's while one has been moved on and the other has not.
    retryDelay: 1e9
  })
  t.teardown(unanswered.close)
  const failing = unanswered.rotating(async (presented) => {
    await rotate(presented)
    throw Object.assign(new Error('The answer was lost'), { code: 'ECONNRESET' })
  })
  const passTime = (seconds: number) => {
    time += seconds * 1000
    return sql(service, `update sessions set rotated_at = rotated_at - interval '${String(seconds)} seconds'`)
  }
  const startOne = async () => {
    await sql(service, 'delete from sessions')
    await startSession(service, person)
    const [session] = await sql<{ id: string }>(service, 'select id from sessions')
    return { sessionId: session!.id, counter: 0 }
  }

  await t.test('it is good after an outage of an hour', async (t) => {
    const presented = await startOne()
    await t.rejects(failing(presented))
    await passTime(3600)
    t.match(await unanswered.rotating(rotate)(presented), { counter: 1 })
  })

  await t.test('it is judged as of the moment when it was first presented', async (t) => {
    const presented = await startOne()
    await rotate(presented)
    await passTime(60)
    const lost = unanswered.rotating(async () => {
      throw Object.assign(new Error('The answer was lost'), { code: 'ECONNRESET' })
    })
    await t.rejects(lost(presented))
    await passTime(3600)
    await t.rejects(lost(presented))
    t.equal(await unanswered.rotating(rotate)(presented), undefined)
  })

  await t.test('an answer that was lost twice is good, too', async (t) => {
    const presented = await startOne()
    await t.rejects(failing(presented))
    await passTime(8)
    await t.rejects(failing(presented))
    await passTime(3600)
    t.match(await unanswered.rotating(rotate)(presented), { counter: 1 })
  })

  await t.test('marks may arrive until three seconds after the last failure', async (t) => {
    await t.rejects(failing(await startOne()))
    t.equal(unanswered.mayArrive(), true)
    time += 2999
    t.equal(unanswered.mayArrive(), true)
    time += 2
    t.equal(unanswered.mayArrive(), false)
  })
})
