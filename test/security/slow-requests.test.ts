import { connect } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { registerAdmin } from '../support/admin.ts'
import { call, registerPerson, startSession } from '../support/client.ts'
import { type Service, startService } from '../support/service.ts'

/** Sends a request whose last byte is held back until `meanwhile` is done. @returns the status of its answer */
async function callSlowly(
  service: Service,
  operation: string,
  { bearer, json }: { bearer: string; json: object },
  meanwhile: () => Promise<unknown>
): Promise<number> {
  const { hostname, port } = new URL(service.url)
  const body = JSON.stringify(json)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
  const accepted = new Promise<void>((resolve) => {
    service.app.server.once('request', () => {
      setImmediate(resolve)
    })
  })
  socket.write(
    `${operation} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${bearer}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body.slice(0, 1)}`
  )
  await accepted
  await meanwhile()
  socket.end(body.slice(1))
  await once(socket, 'close')
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
}

// Revocation was asked before the body arrived, and never again.
await t.test('a request that began before its caller was revoked is not carried out after', async (t) => {
  const service = await startService(t)
  const [admin, other] = [await registerAdmin(service), await registerAdmin(service)]
  const end = (change: object) => () =>
    call(service, `PATCH /admin/users/${String(admin.id)}`, { bearer: other.token, json: change })

  await t.test('of an administrator who is demoted and disabled meanwhile', async (t) => {
    const status = await callSlowly(
      service,
      `PATCH /admin/users/${String(admin.id)}`,
      { bearer: admin.token, json: { is_disabled: false, is_admin: true } },
      end({ is_admin: false, is_disabled: true })
    )
    t.equal(status, 401)
    const after = await call(service, `GET /admin/users/${String(admin.id)}`, { bearer: other.token })
    t.match(after.body, { is_admin: false, is_disabled: true })
  })

  await t.test('of a stolen session that its owner ends meanwhile', async (t) => {
    const person = await registerPerson(service)
    const stolen = await startSession(service, person)
    const status = await callSlowly(service, 'DELETE /auth/sessions', { bearer: stolen.access_token, json: {} }, () =>
      call(service, 'DELETE /auth/sessions', { bearer: person.token })
    )
    t.equal(status, 401)
    t.equal((await call(service, 'GET /auth/me', { bearer: person.token })).status, 200)
  })

  await t.test('of a client whose secret ends meanwhile', async (t) => {
    const created = await call(service, 'POST /admin/clients', {
      bearer: other.token,
      json: { name: 'operator', is_admin: true }
    })
    const { id, client_secret: secret } = created.body as { id: string; client_secret: string }
    const token = await call(service, 'POST /oauth/token', {
      raw: new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' }
    })
    const bearer = (token.body as { access_token: string }).access_token
    const status = await callSlowly(service, 'POST /admin/clients', { bearer, json: { name: 'heir' } }, () =>
      call(service, `DELETE /admin/clients/${id}`, { bearer: other.token })
    )
    t.equal(status, 401)
  })
})

await t.test('of two administrators who end each other at once, one succeeds', async (t) => {
  const service = await startService(t)
  const second = await startService(t, service.env)
  const third = await registerAdmin(service)
  for (let round = 0; round < 10; round++) {
    const [one, two] = [await registerAdmin(service), await registerAdmin(service)]
    const json = round % 2 === 0 ? { is_disabled: true } : { is_admin: false }
    const answers = await Promise.all([
      call(service, `PATCH /admin/users/${String(two.id)}`, { bearer: one.token, json }),
      call(second, `PATCH /admin/users/${String(one.id)}`, { bearer: two.token, json })
    ])
    t.same(
      answers.map(({ status }) => status).sort((a, b) => a - b),
      [200, 401]
    )
  }
  t.equal((await call(service, 'GET /admin/users', { bearer: third.token })).status, 200)
})
