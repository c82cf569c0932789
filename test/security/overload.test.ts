import { availableParallelism } from 'node:os'
import { connect } from 'node:net'
import t from 'tap'
import { call, logIn, registerPerson } from '../support/client.ts'
import { type Service, startService } from '../support/service.ts'

/** Slow enough that a queue of them is there to be looked at. */
const slowHashes = { ARGON2_MEMORY_KIB: '4096', ARGON2_ITERATIONS: '2' }

/** Takes about a second to verify, as much as the service computes for any hash. */
const slowHash = `$argon2id$v=19$m=65536,t=16,p=1$c2FsdHNhbHQ$${'A'.repeat(43)}`

await t.test('a flood of logins is cut at the length of the queue, and nothing else waits behind it', async (t) => {
  // So many that logins wait for hashes, and not for connections, on a slow machine too.
  const service = await startService(t, { ...slowHashes, DATABASE_POOL_SIZE: '50' })
  const person = await registerPerson(service)
  const json = { username: person.username, password: person.password }
  let hashed = 0
  // A second of each thread, so that the flood has arrived before the first login of it is hashed, however busy the machine.
  const occupied = Promise.all(
    Array.from({ length: availableParallelism() }, () => service.app.passwords.verify(slowHash, 'another password'))
  )
  const flood = Array.from({ length: availableParallelism() * 33 + 40 }, async () => {
    const answer = await call(service, 'POST /auth/login', { json })
    if (answer.status === 200) hashed += 1
    return { answer, hashedBefore: hashed }
  })
  const refusals = Promise.all(flood).then((outcomes) => outcomes.filter(({ answer }) => answer.status === 503))
  t.equal((await call(service, 'GET /authz/reader', { bearer: person.token })).status, 204)
  t.equal((await call(service, 'GET /auth/me', { bearer: person.token })).status, 200)
  const hashedBeforeReads = hashed

  const refused = await refusals
  for (const { answer } of refused) t.equal(answer.headers.get('retry-after'), '1')
  // On a machine that is slow enough a login may wait too long for the database instead.
  const busy = { code: 'overloaded', detail: 'The service is busy' }
  const cut = refused.filter(({ answer }) => (answer.body as typeof busy).code === busy.code)
  t.ok(cut.length > 0, `${String(cut.length)} of ${String(flood.length)} were refused`)
  t.match(cut[0]?.answer.body, busy)
  t.ok(
    cut.some(({ hashedBefore }) => hashedBefore < hashed / 2),
    'refusals did not wait for their turn'
  )
  await occupied
  t.ok(hashedBeforeReads < hashed, 'reads were answered while the flood was still there')
  for (const { answer } of await Promise.all(flood)) t.ok([200, 503].includes(answer.status))
  t.ok(await logIn(service, person), 'and then the queue is free again')
})

await t.test('clients that hang up leave nothing behind', async (t) => {
  const service = await startService(t, { ...slowHashes, DATABASE_POOL_SIZE: '5' })
  const person = await registerPerson(service)
  // Of somebody else: more logins than a user may have sessions end the oldest.
  const reader = await registerPerson(service)
  const body = JSON.stringify({ username: person.username, password: person.password })
  const most = availableParallelism() * 33
  const { passwords } = service.app
  const { verify } = passwords
  const begun: Promise<boolean>[] = []
  passwords.verify = (...attempt) => {
    const verified = verify(...attempt)
    begun.push(verified)
    return verified
  }
  for (let round = 0; round < 2; round++) {
    await Promise.all(Array.from({ length: most }, () => hangUp(service, body)))
  }
  // Until those that were begun are done, and a request behind them all finds that none has been begun since.
  do {
    await Promise.allSettled(begun.splice(0))
    t.equal((await call(service, 'GET /auth/me', { bearer: reader.token })).status, 200)
  } while (begun.length > 0)
  // All places of the queue are free again: as many logins as there are places find one.
  const answers = await Promise.all(
    Array.from({ length: most - 2 }, () =>
      call(service, 'POST /auth/login', { json: { username: person.username, password: person.password } })
    )
  )
  // On a machine that is slow enough some wait too long for the database instead.
  const outcomes = new Set(
    answers.map(({ status, body }) => (status === 200 ? '200' : (body as { code: string }).code))
  )
  t.ok(outcomes.has('200'))
  t.notOk(outcomes.has('overloaded'))
  t.equal((await call(service, 'GET /auth/me', { bearer: reader.token })).status, 200)
})

/** Sends a login and leaves without waiting for the answer. */
function hangUp(service: Service, body: string): Promise<void> {
  const { hostname, port } = new URL(service.url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`,
        () => socket.resetAndDestroy()
      )
    })
    socket
      .on('error', () => undefined)
      .once('close', () => {
        resolve()
      })
  })
}
