import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { PassThrough } from 'node:stream'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { announceStart, openLogStream } from '../../plugins/http/log-stream.ts'
import { readConfig } from '../../src/config/config.ts'
import { generateMissingKeys } from '../../src/keys/key-files.ts'
import { call, logIn, registerPerson } from '../support/client.ts'
import { gatehouse, serve, type ServingProcess } from '../support/command.ts'
import { partsOf } from '../support/forge.ts'
import { createDatabase, createEmptyDatabase, createFolder, sql, startService } from '../support/service.ts'

await t.test('four starters at once on one empty database and one empty folder of keys serve as one', async (t) => {
  const env = { DATABASE_URL: await createEmptyDatabase(t), KEYS_DIR: createFolder(t) }
  const letThemGo = await holdMigrations(env.DATABASE_URL, 4)
  const [instances] = await Promise.all([Promise.all([1, 2, 3, 4].map(() => serve(t, env))), letThemGo()])
  for (const instance of instances) t.equal((await call(instance, 'GET /health/ready')).status, 200)

  const journal = await sql<{ hash: string }>({ env }, 'select hash from drizzle.__drizzle_migrations')
  t.equal(new Set(journal.map(({ hash }) => hash)).size, journal.length, 'no migration was applied twice')
  const migrated = instances.filter(({ log }) => log.some((line) => line.migrations !== undefined))
  t.equal(migrated.length, 1)
  t.equal(readdirSync(env.KEYS_DIR).length, 2, 'one key for access tokens, one for refresh tokens')

  const person = await registerPerson(instances[0]!)
  for (const issuer of instances) {
    const token = await logIn(issuer, person)
    for (const verifier of instances) {
      t.equal((await call(verifier, 'GET /authz/reader', { bearer: token })).status, 204)
    }
  }
})

await t.test('a second process on one embedded database is refused, and the first is named', async (t) => {
  const env = { DATABASE_URL: await createDatabase(t, 'embedded'), KEYS_DIR: createFolder(t) }
  const first = await serve(t, env)
  const refusal = `in use by process ${String(first.process.pid)}: stop it first, or use PostgreSQL, which serves many`
  await t.rejects(serve(t, env), { message: new RegExp(`^It ended with 1 .*${refusal}`) })
  const { status, stdout, stderr } = await gatehouse(t, ['users', 'list'], { env })
  t.equal(status, 1)
  t.equal(stdout, '')
  t.match(stderr, refusal)
  t.equal(stderr.trimEnd().split('\n').length, 1)
  t.equal((await call(first, 'GET /health/ready')).status, 200)

  first.process.kill('SIGINT')
  t.equal((await first.ending).status, 0, 'Ctrl+C stops it')
  t.equal((await gatehouse(t, ['users', 'list'], { env })).status, 0, 'the database is free again')
})

await t.test('the log says at once what is being started, and then where to go next', async (t) => {
  const env = { KEYS_DIR: createFolder(t), ISSUER: '' }
  const service = await serve(t, { ...env, DATABASE_URL: 'pglite:memory' })
  const [first] = service.log
  t.match(first?.msg, /^Gatehouse \d+\.\d+\.\d+ is starting: making an embedded database in memory/)
  const { msg } = await service.logged('Gatehouse is ready')
  t.equal(
    msg,
    `Gatehouse is ready: open ${service.url} in a browser; the API is at ${service.url}/docs; mail at ${service.url}/dev/mail`
  )
  const person = await registerPerson(service)
  const { payload } = partsOf(await logIn(service, person))
  t.equal(payload.iss, service.url, 'with PORT=0, too, the issuer names the port that is served')
  const mail = await service.logged(`mail written to ${person.email}`)
  t.match(mail.msg, `${service.url}/verify-email#token=`, 'and so do links')
})

await t.test('at a terminal the log is lines for people, elsewhere and in production JSON', async (t) => {
  const terminal = () => Object.assign(new PassThrough(), { isTTY: true }) as unknown as NodeJS.WriteStream
  t.equal(await openLogStream(true, terminal()), undefined)
  t.equal(await openLogStream(false, new PassThrough() as unknown as NodeJS.WriteStream), undefined)
  const output = terminal()
  announceStart(readConfig({}), await openLogStream(false, output))
  t.match(
    String(output.read()),
    /INFO.*: .*Gatehouse \d+\.\d+\.\d+ is starting: \w+ (the|an) embedded database in \.\/data/
  )
})

await t.test('a port that is in use is told in words', async (t) => {
  const first = await startService(t)
  const { status, stderr } = await gatehouse(t, ['serve'], {
    env: {
      DATABASE_URL: first.env.DATABASE_URL!,
      KEYS_DIR: first.env.KEYS_DIR!,
      PORT: new URL(first.url).port,
      LOG_LEVEL: 'silent'
    }
  })
  t.equal(status, 1)
  t.match(stderr, /^gatehouse: Cannot listen on 127\.0\.0\.1:\d+, which is in use: .*\n$/)
})

await t.test('a host that is not found is no fault of the database', async (t) => {
  const { status, stderr } = await gatehouse(t, ['serve'], {
    env: {
      DATABASE_URL: await createDatabase(t),
      KEYS_DIR: createFolder(t),
      HOST: 'gatehouse.invalid',
      LOG_LEVEL: 'silent'
    }
  })
  t.equal(status, 1)
  t.match(stderr, /^gatehouse: Cannot listen on gatehouse\.invalid \(\w+\): check HOST\n$/)
})

await t.test('SIGTERM in production: not ready at once, requests in flight finish, exit status 0', async (t) => {
  const instance = await serveInProduction(t)
  const inFlight = await halfRequest(instance)
  instance.process.kill('SIGTERM')
  await instance.logged('stopping')

  const ready = await call(instance, 'GET /health/ready')
  t.equal(ready.status, 503, 'load balancers are told while it still listens')
  t.match(ready.body, { code: 'unavailable', detail: 'The service is stopping' })
  t.equal(ready.headers.get('connection'), 'close')
  t.equal((await call(instance, 'GET /health/live')).status, 200, 'and requests that come meanwhile are answered')

  instance.process.kill('SIGTERM')
  await refusesConnections(instance)
  t.equal(instance.process.exitCode, null, 'it waits for the request in flight')
  t.match(await inFlight.finish(), /^HTTP\/1\.1 201 /)

  const { status, stderr } = await instance.ending
  t.equal(status, 0)
  t.equal(stderr, '')
  t.equal(instance.log.at(-1)?.msg, 'stopped')
  t.equal(instance.log.filter(({ msg }) => msg === 'stopping').length, 1, 'the second signal changes nothing')
})

await t.test('a request that never ends does not keep the service from stopping', async (t) => {
  const instance = await serveInProduction(t, { SHUTDOWN_TIMEOUT_SECONDS: '1' })
  await halfRequest(instance)
  instance.process.kill('SIGTERM')
  t.equal((await instance.ending).status, 1)
  t.match(instance.log.at(-1)?.msg, /SHUTDOWN_TIMEOUT_SECONDS/)
})

/**
 * Keeps migrations from beginning. The function that it returns waits until so many instances have come as far as
 * they can, and lets them go together.
 */
async function holdMigrations(url: string, instances: number): Promise<() => Promise<void>> {
  const client = postgres(url, { max: 2, onnotice: () => undefined })
  const holder = await client.reserve()
  await holder`begin`
  await holder`create schema drizzle`
  return async () => {
    const waiting = () =>
      client`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    while ((await waiting()).length < instances) await delay(20)
    await holder`rollback`
    holder.release()
    await client.end()
  }
}

async function serveInProduction(t: Test, env: Record<string, string> = {}): Promise<ServingProcess> {
  const KEYS_DIR = createFolder(t)
  generateMissingKeys(KEYS_DIR)
  return serve(t, {
    NODE_ENV: 'production',
    DATABASE_URL: await createDatabase(t),
    KEYS_DIR,
    ARGON2_MEMORY_KIB: '19456',
    ARGON2_ITERATIONS: '2',
    ...env
  })
}

/** A registration of which the service has seen all but the end of the body. */
async function halfRequest({ url }: ServingProcess): Promise<{ finish: () => Promise<string> }> {
  const { hostname, port } = new URL(url)
  const body = JSON.stringify({ username: 'late', email: 'late@example.com', password: 'a long and quiet evening' })
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const answer = readAll(socket)
  socket.write(
    `POST /auth/registration HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n` +
      `expect: 100-continue\r\ncontent-length: ${String(body.length)}\r\n\r\n`
  )
  // The interim answer says that the service has the head of the request.
  await new Promise((resolve) => socket.once('data', resolve))
  socket.write(body.slice(0, 10))
  return {
    async finish() {
      socket.write(body.slice(10))
      return (await answer).replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')
    }
  }
}

function readAll(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  return new Promise((resolve) =>
    socket.once('close', () => {
      resolve(text)
    })
  )
}

/** Asks until nobody listens any more. */
async function refusesConnections({ url }: ServingProcess): Promise<void> {
  for (;;) {
    try {
      await fetch(`${url}/health/live`, { headers: { connection: 'close' } })
    } catch {
      return
    }
    await delay(50)
  }
}
