import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type SQL, sql } from 'drizzle-orm'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { type Connection, openConnection } from '../../src/database/connection.ts'
import type { Db } from '../../src/database/database.ts'
import { isUnavailable, violatedUniqueIndex } from '../../src/database/errors.ts'
import { openDatabase } from '../../src/database/open.ts'
import { createPool, maxWaitingPerConnection } from '../../src/database/pool.ts'
import { retryingDeadlocks } from '../../src/database/retry.ts'
import { runTransaction } from '../../src/database/transaction.ts'
import { startProxy } from '../support/proxy.ts'
import { createDatabase, type Kind, kinds } from '../support/service.ts'

async function open(t: Test, kind: Kind = 'postgres', poolSize = 2) {
  const url = await createDatabase(t, kind)
  const database = await openDatabase({ url, listenUrl: url, poolSize })
  t.teardown(() => database.close())
  await database.db.execute(sql`create table notes (text text unique)`)
  return { url, database, db: database.db }
}

const write = (db: Db, text: string) => db.execute(sql`insert into notes values (${text})`)

async function notes(db: Db): Promise<unknown[]> {
  return (
    await db
      .select({ text: sql`text` })
      .from(sql`notes`)
      .orderBy(sql`text`)
  ).map(({ text }) => text)
}

for (const kind of kinds) {
  await t.test(`transactions, on ${kind}`, async (t) => {
    const { db } = await open(t, kind)

    await db.transaction((tx) => write(tx, 'kept'))
    await t.rejects(
      db.transaction(async (tx) => {
        await write(tx, 'thrown away')
        throw new Error('changed my mind')
      }),
      { message: 'changed my mind' }
    )
    t.same(await notes(db), ['kept'], 'what throws is rolled back')

    await db.transaction(async (tx) => {
      await write(tx, 'outer')
      await tx.transaction((inner) => write(inner, 'inner'))
      await tx
        .transaction(async (inner) => {
          await write(inner, 'thrown away')
          await write(inner, 'kept')
        })
        .catch(() => undefined)
    })
    t.same(await notes(db), ['inner', 'kept', 'outer'], 'a nested one fails alone')

    const duplicate = await write(db, 'kept').catch((error: unknown) => error)
    t.equal(violatedUniqueIndex(duplicate), 'notes_text_key')
    t.notOk(isUnavailable(duplicate))
  })
}

await t.test('a transaction whose failed statement was swallowed is no success', async (t) => {
  const { db } = await open(t)
  await write(db, 'taken')
  await t.rejects(
    db.transaction(async (tx) => {
      await write(tx, 'free')
      await write(tx, 'taken').catch(() => undefined)
    })
  )
  t.same(await notes(db), ['taken'])
})

await t.test('a statement after the end of its transaction is refused', async (t) => {
  const { db } = await open(t)
  let kept: Db | undefined
  await db.transaction(async (tx) => {
    kept = tx
  })
  await t.rejects(write(kept!, 'late'))
  t.same(await notes(db), [])
})

await t.test(
  'nothing of a transaction is kept, or sent on another connection, when its connection is lost',
  async (t) => {
    const { db, url } = await open(t)
    const admin = postgres(url, { max: 1 })
    t.teardown(() => admin.end())
    const outcome = await db
      .transaction(async (tx) => {
        await write(tx, 'before')
        const [row] = await tx.select({ pid: sql<number>`pg_backend_pid()` }).from(sql`(values (1)) as one`)
        await admin`select pg_terminate_backend(${row!.pid}, 5000)`
        await db.execute(sql`select 1`)
        await write(tx, 'after').catch(() => undefined)
        await write(tx, 'after').catch(() => undefined)
      })
      .catch((error: unknown) => error)
    t.ok(isUnavailable(outcome), 'the same request may succeed later')
    t.same(await notes(db), [])
  }
)

await t.test('a transaction that takes too long gives its connection up, and is not committed', async (t) => {
  const { db, url } = await open(t, 'postgres', 1)
  let goOn: (() => void) | undefined
  let continued: Promise<unknown> | undefined
  const outcome = await db
    .transaction((tx) => {
      continued = (async () => {
        await write(tx, 'slow')
        await new Promise<void>((resolve) => (goOn = resolve))
        await write(tx, 'too late')
      })()
      return continued
    })
    .catch((error: unknown) => error)
  t.ok(isUnavailable(outcome))
  t.same(await notes(db), [], 'the only connection of the pool is at hand again')
  goOn?.()
  await t.rejects(continued!)
  const admin = postgres(url, { max: 1 })
  t.same(await admin`select text from notes`, [])
  await admin.end()
})

await t.test('more calls than connections all get their turn', async (t) => {
  const { db } = await open(t)
  await Promise.all(
    Array.from({ length: 40 }, (_, number) => db.transaction((tx) => write(tx, String(number).padStart(2, '0'))))
  )
  t.equal((await notes(db)).length, 40)
})

await t.test('turns away at once what would wait behind too much else', async (t) => {
  const url = await createDatabase(t)
  const types = { parsers: {}, serializers: {} }
  const pool = createPool({ url, size: 1, types, deadline: 60_000, acquireTimeout: 60_000 })
  t.teardown(() => pool.close())
  const refusals: unknown[] = []
  const calls = Array.from({ length: 1 + maxWaitingPerConnection + 5 }, () =>
    pool.use((connection) => connection.send('select 1')).catch((error: unknown) => refusals.push(error))
  )
  await new Promise((resolve) => {
    process.nextTick(resolve)
  })
  t.match(refusals, Array(5).fill({ message: 'Too many calls wait for a connection to the database' }))
  t.equal(refusals.length, 5, 'one has the connection, and the others wait for it')
  await Promise.all(calls)
  t.equal(refusals.length, 5, 'and get it')
})

await t.test('many failures leave the pool as it was', async (t) => {
  const { db } = await open(t)
  await write(db, 'taken')
  for (let round = 0; round < 50; round++) {
    await t.rejects(write(db, 'taken'))
    await t.rejects(db.execute(sql`select broken`))
    await t.rejects(db.transaction((tx) => write(tx, 'taken')))
  }
  t.same(await Promise.all([notes(db), notes(db), notes(db)]), [['taken'], ['taken'], ['taken']])
})

await t.test('a query is stopped by the server after two seconds', async (t) => {
  const { db } = await open(t, 'postgres', 1)
  const outcome = await db.execute(sql`select pg_sleep(10)`).catch((error: unknown) => error)
  t.ok(isUnavailable(outcome))
  t.match(outcome, { cause: { code: '57014' } })
  t.same(await notes(db), [])
})

/** Fails after it has sent rows: `2` and `1` are on their way when the division by zero is found. */
const failsAfterRows = sql`select 2 / (3 - i) as n from generate_series(1, 5) as i`

for (const kind of kinds) {
  await t.test(`a statement that failed after it sent rows leaves none to the next, on ${kind}`, async (t) => {
    const { db } = await open(t, kind, 1)
    const prepared = () =>
      db
        .select({ n: sql<number>`n` })
        .from(sql`generate_series(1, 3) as n`)
        .where(sql`n < ${3}`)
    const expected = [{ n: 1 }, { n: 2 }]
    await prepared()

    t.match(await db.execute(failsAfterRows).catch((error: unknown) => error), { cause: { code: '22012' } })
    t.strictSame(await prepared(), expected, 'a statement that the connection has prepared before')

    await t.rejects(db.execute(failsAfterRows))
    t.strictSame(await rowsOf(db, sql`select 7 as n`), [{ n: 7 }], 'one that it has not, whose rows are objects')

    await t.rejects(db.select({ n: sql`2 / (3 - i)` }).from(sql`generate_series(1, 5) as i`))
    t.strictSame(await prepared(), expected, 'after one whose rows are values')

    await t.rejects(db.transaction((tx) => tx.execute(failsAfterRows)))
    t.strictSame(await prepared(), expected, 'after a transaction that ended so')

    await db.transaction(async (tx) => {
      await tx.transaction((inner) => inner.execute(failsAfterRows)).catch(() => undefined)
      t.strictSame(
        await rowsOf(tx, sql`select 8 as n`),
        [{ n: 8 }],
        'in a transaction, after a nested one that ended so'
      )
    })
  })
}

await t.test('a statement that is cancelled after it sent rows leaves none to the next', async (t) => {
  const { db, url } = await open(t, 'postgres', 1)
  const admin = postgres(url, { max: 1 })
  t.teardown(() => admin.end())
  // Rows leave the server when its buffer of 8 KiB is full: these have, when it begins to wait.
  const waitsAfterRows = sql`
    select case when i < 50 then repeat('x', 1000) else pg_sleep(30)::text end as text from generate_series(1, 50) as i`
  const cancelled = db.execute(waitsAfterRows).catch((error: unknown) => error)
  for (;;) {
    const [row] = await admin`
      select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`
    if (row !== undefined) break
  }
  t.match(await cancelled, { cause: { code: '57014' } })
  t.strictSame(await rowsOf(db, sql`select 7 as n`), [{ n: 7 }])
  t.strictSame(await notes(db), [])
})

await t.test('a connection whose transaction cannot be rolled back is given up', async (t) => {
  let destroyed = 0
  const connection = {
    isLost: false,
    // As a server answers that was asked to cancel whatever this connection does.
    send: async (query: string) => {
      if (query === 'rollback') throw Object.assign(new Error('canceling statement'), { severity: 'ERROR' })
    },
    destroy: () => (destroyed += 1)
  } as unknown as Connection
  await t.rejects(
    runTransaction(connection, () => Promise.reject(new Error('changed my mind'))),
    { message: 'changed my mind' }
  )
  t.equal(destroyed, 1)
})

await t.test('a deadlock is found before anyone has given up waiting, and its victim tries again', async (t) => {
  const { db } = await open(t)
  await write(db, 'a')
  await write(db, 'b')
  let begun = 0
  let bothHaveBegun!: () => void
  const meeting = new Promise<void>((resolve) => (bothHaveBegun = resolve))
  const lock = (tx: Db, text: string) => tx.execute(sql`update notes set text = text where text = ${text}`)
  const lockBoth = (first: string, second: string) =>
    retryingDeadlocks(() =>
      db.transaction(async (tx) => {
        await lock(tx, first)
        begun += 1
        if (begun === 2) bothHaveBegun()
        await meeting
        await lock(tx, second)
      })
    )

  await Promise.all([lockBoth('a', 'b'), lockBoth('b', 'a')])
  t.equal(begun, 3, 'one of them twice')
})

await t.test('the victim of a deadlock lets the survivor wake before it tries again', async (t) => {
  let tries = 0
  const work = retryingDeadlocks(() => {
    tries += 1
    return tries === 1
      ? Promise.reject(Object.assign(new Error('deadlock detected'), { code: '40P01' }))
      : Promise.resolve('done')
  })
  await nextTurn()
  t.equal(tries, 1)
  t.equal(await work, 'done')
})

async function rowsOf(db: Db, query: SQL): Promise<unknown[]> {
  const result = (await db.execute(query)) as { rows?: unknown[] } | unknown[]
  return [...(Array.isArray(result) ? result : (result.rows ?? []))]
}

await t.test('a statement that meets the end of its connection fails at once, and waits for no deadline', async (t) => {
  const url = new URL(await createDatabase(t))
  const proxy = await startProxy(t, Number(url.port))
  url.port = String(proxy.port)
  const sockets: Socket[] = []
  const onSocket = (message: unknown) => sockets.push((message as { socket: Socket }).socket)
  subscribe('net.client.socket', onSocket)
  t.teardown(() => unsubscribe('net.client.socket', onSocket))
  const connection = openConnection({ url: url.href, types: { parsers: {}, serializers: {} }, onLost: () => undefined })
  await connection.send('select 1')
  const [socket] = sockets.filter(({ remotePort }) => remotePort === proxy.port)
  // Between what the network says and what the driver makes of it.
  const lost = new Promise((resolve) =>
    socket?.once('error', () => {
      resolve(connection.send('select 1'))
    })
  )
  proxy.cut()
  await t.rejects(lost, { message: 'The connection to the database was lost' })
})
