import { createHash } from 'node:crypto'
import t from 'tap'
import { type Answer, call } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startProxy } from '../support/proxy.ts'
import { askToken, createClient, introspect, post, tokenOf } from '../support/service-client.ts'
import { kinds, type Service, sql, startService } from '../support/service.ts'

const statusOf = async (service: Service, bearer: string) => (await call(service, 'GET /authz', { bearer })).status

/** What an observer sees of an answer, without what differs between any two. */
function seen({ status, headers, text }: Answer): object {
  const rest = [...headers].filter(([name]) => name !== 'x-request-id' && name !== 'date')
  return { status, headers: Object.fromEntries(rest), text }
}

for (const kind of kinds) {
  await t.test(`unknown, disabled, and with another secret a client is refused alike, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const client = await createClient(service)
    const [disabled, secretless] = [await createClient(service), await createClient(service)]
    await service.app.operations.updateClient(disabled.id, { isDisabled: true }, {})
    await service.app.operations.endClientSecret(secretless.id, secretless.secretId, {})
    const attempts = {
      'wrong secret': { ...client, secret: `${client.secret.slice(0, -1)}_` },
      "another client's secret": { ...client, secret: disabled.secret },
      'an empty secret': { ...client, secret: '' },
      'unknown client': { ...client, id: '00000000-0000-4000-8000-000000000000' },
      'no id at all': { ...client, id: "' or 1=1--" },
      'the id in capitals': { ...client, id: client.id.toUpperCase() },
      'no text': { ...client, id: '\0\u0007' },
      disabled,
      'disabled, wrong secret': { ...disabled, secret: 'x' },
      'an ended secret': secretless
    }
    const answers = Object.entries(attempts).map(async ([title, attempt]) => ({
      title,
      byBasic: seen(await askToken(service, attempt)),
      byForm: seen(
        await post(service, '/oauth/token', {
          grant_type: 'client_credentials',
          client_id: attempt.id,
          client_secret: attempt.secret
        })
      )
    }))
    const expected = {
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="gatehouse"', 'cache-control': 'no-store' },
      text: '{"error":"invalid_client","error_description":"Client authentication failed"}'
    }
    const [first, ...others] = await Promise.all(answers)
    t.match(first?.byBasic, expected)
    for (const { title, byBasic, byForm } of others)
      t.strictSame([byBasic, byForm], [first?.byBasic, first?.byBasic], title)
    t.equal((await askToken(service, client)).status, 200, 'the right one still is let in')
  })
}

await t.test('secrets', async (t) => {
  const service = await startService(t, { LOG_LEVEL: 'trace' })
  const client = await createClient(service)

  await t.test('have 256 random bits, and are kept as a digest that is no secret', async (t) => {
    const secrets: string[] = []
    for (let n = 0; n < 20; n++) secrets.push((await createClient(service)).secret)
    t.equal(new Set(secrets).size, 20)
    for (const secret of secrets) {
      t.match(secret, /^gatehouse_[A-Za-z0-9_-]{43}$/)
      t.equal(Buffer.from(secret.slice('gatehouse_'.length), 'base64url').length, 32)
    }
    const dump = JSON.stringify([
      await sql(service, 'select * from clients'),
      await sql(service, 'select * from client_secrets'),
      await sql(service, 'select * from audit_events')
    ])
    t.notOk(secrets.some((secret) => dump.includes(secret) || dump.includes(secret.slice('gatehouse_'.length))))
    const [row] = await sql<{ digest: string }>(service, 'select digest from client_secrets where id = $1', [
      client.secretId
    ])
    t.equal(row?.digest, createHash('sha256').update(client.secret).digest('base64url'))
    t.equal((await askToken(service, { id: client.id, secret: row!.digest })).status, 401)
  })

  await t.test('two are good while one replaces the other, whose tokens end with it', async (t) => {
    const { clientSecret } = await service.app.operations.addClientSecret(client.id, {})
    const next = { ...client, secret: clientSecret }
    const [old, fresh] = [await tokenOf(service, client), await tokenOf(service, next)]
    t.strictSame([await statusOf(service, old), await statusOf(service, fresh)], [204, 204])
    await service.app.operations.endClientSecret(client.id, client.secretId, {})
    t.strictSame([await statusOf(service, old), await statusOf(service, fresh)], [401, 204])
    t.strictSame([(await askToken(service, client)).status, (await askToken(service, next)).status], [401, 200])
  })

  await t.test('and never reach the log', async (t) => {
    const other = await createClient(service)
    await tokenOf(service, other)
    const form = `grant_type=client_credentials&client_id=${other.id}&client_secret=${other.secret}`
    await post(service, '/oauth/token', form)
    await post(service, '/oauth/token', `${form}&client_secret=${other.secret}`)
    await post(service, '/oauth/introspect', { token: other.secret }, other)
    await askToken(service, { id: other.secret, secret: 'x' })
    await call(service, 'POST /oauth/token', { raw: form, headers: { 'content-type': 'text/plain' } })
    await call(service, `POST /oauth/token?${form}`)
    const log = service.log.join('')
    const digest = createHash('sha256').update(other.secret).digest()
    for (const text of [other.secret, digest.toString('base64url'), digest.toString('hex')]) t.notOk(log.includes(text))
    t.ok(log.includes(other.id), 'but who it was')
    const [event] = await sql<{ details: string }>(
      service,
      "select details::text from audit_events where type = 'client.login_failed' order by id desc limit 1"
    )
    t.equal(event?.details, '{}', 'nor, typed in the wrong place, the audit')
  })

  await t.test('the use of a secret is written at most once a minute', async (t) => {
    const other = await createClient(service)
    const lastUse = async () =>
      (
        await sql<{ last_used_at: Date; xmin: string }>(
          service,
          'select last_used_at, xmin::text from client_secrets where id = $1',
          [other.secretId]
        )
      )[0]
    await tokenOf(service, other)
    const first = await lastUse()
    t.ok(first!.last_used_at)
    const second = await startService(t, service.env)
    for (const instance of [service, second, second]) await tokenOf(instance, other)
    t.strictSame(await lastUse(), first)
  })
})

await t.test('two instances on one database', async (t) => {
  const first = await startService(t)
  const second = await startService(t, first.env)
  const asking = await createClient(first)
  t.equal(await introspect(second, asking, 'x'), '{"active":false}', 'remembered on the second')

  const refusedOnSecond = async (t: Parameters<typeof eventually>[0], client: typeof asking, token: string) => {
    await eventually(t, 'its token is refused', async () => (await statusOf(second, token)) === 401)
    t.equal(await introspect(second, asking, token), '{"active":false}')
    t.equal((await askToken(second, client)).status, 401, 'and so is its secret')
    t.equal((await post(second, '/oauth/introspect', { token }, client)).status, 401)
  }

  await t.test('a client that is disabled on one is refused on the other, and back when it is enabled', async (t) => {
    const client = await createClient(first)
    const token = await tokenOf(second, client)
    t.match(await introspect(second, asking, token), '"active":true')
    await first.app.operations.updateClient(client.id, { isDisabled: true }, {})
    t.equal((await askToken(first, client)).status, 401, 'at once where it was done')
    await refusedOnSecond(t, client, token)
    await first.app.operations.updateClient(client.id, { isDisabled: false }, {})
    t.equal((await askToken(second, client)).status, 200)
    t.equal(await statusOf(second, token), 401, 'the tokens of before stay void')
  })

  await t.test('a client that is deleted, too', async (t) => {
    const client = await createClient(first)
    const token = await tokenOf(second, client)
    await first.app.operations.deleteClient(client.id, {})
    await refusedOnSecond(t, client, token)
  })

  await t.test('a secret that is ended, too, while the other one and its tokens live', async (t) => {
    const client = await createClient(first)
    const next = { ...client, secret: (await first.app.operations.addClientSecret(client.id, {})).clientSecret }
    const [token, living] = [await tokenOf(second, client), await tokenOf(second, next)]
    await first.app.operations.endClientSecret(client.id, client.secretId, {})
    await refusedOnSecond(t, client, token)
    t.equal(await statusOf(second, living), 204)
    t.equal((await askToken(second, next)).status, 200)
  })

  await t.test('a role that is withdrawn is in no token from then on', async (t) => {
    const client = await createClient(first, { isReader: true, isAdmin: true })
    const token = await tokenOf(second, client)
    t.equal((await call(second, 'GET /admin/clients', { bearer: token })).status, 200)
    await first.app.operations.updateClient(client.id, { isAdmin: false }, {})
    await eventually(t, 'its token is refused', async () => (await statusOf(second, token)) === 401)
    t.match((await askToken(second, client)).body, { scope: 'reader' })
  })

  await t.test('a token that is revoked on one is refused on the other', async (t) => {
    const client = await createClient(first)
    const [token, living] = [await tokenOf(second, client), await tokenOf(second, client)]
    await post(first, '/oauth/revoke', { token }, client)
    await eventually(t, 'it is refused', async () => (await statusOf(second, token)) === 401)
    t.equal(await statusOf(second, living), 204)
  })

  await t.test('an instance without notifications asks the database for a client that it remembers', async (t) => {
    const listenUrl = new URL(first.env.DATABASE_URL!)
    const proxy = await startProxy(t, Number(listenUrl.port))
    listenUrl.port = String(proxy.port)
    const deaf = await startService(t, { ...first.env, DATABASE_LISTEN_URL: listenUrl.href })
    const client = await createClient(first)
    const token = await tokenOf(deaf, client)
    t.equal(await statusOf(deaf, token), 204)

    await sql(first, 'update clients set is_disabled = true where id = $1', [client.id])
    t.equal((await askToken(deaf, client)).status, 200, 'nobody has told it yet')
    proxy.close()
    await eventually(t, 'its secret is not taken', async () => (await askToken(deaf, client)).status === 401)
    t.equal(await statusOf(deaf, token), 401, 'nor its token')
  })
})
