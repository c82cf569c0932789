import t from 'tap'
import { call, logIn, registerPerson } from '../support/client.ts'
import { gatehouse, serve } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { tokenIn } from '../support/mail-server.ts'
import { createDatabase, createFolder, kinds, sql, startService } from '../support/service.ts'

for (const kind of kinds) {
  await t.test(
    `without SMTP_URL mails wait, the log says so, and the command line shows them, on ${kind}`,
    async (t) => {
      const service = await startService(t, {}, kind)
      const person = await registerPerson(service)
      const written = () => service.log.find((line) => line.includes('mail written'))
      await eventually(t, 'the log tells', async () => written() !== undefined)
      const { id, msg } = JSON.parse(written() ?? '{}') as { id: number; msg: string }
      t.equal(msg, `mail written: "gatehouse outbox show ${String(id)}" prints it`)
      await service.close()
      t.notOk(service.log.join('').includes(person.email), 'nothing of the address is logged')

      const env = {
        DATABASE_URL: service.env.DATABASE_URL!,
        KEYS_DIR: service.env.KEYS_DIR!,
        ISSUER: 'https://login.example.com'
      }
      const list = await gatehouse(t, ['outbox'], { env })
      t.match(list.stdout, new RegExp(`^${String(id)}\t\\S+\temail_verification\ten\t${person.email}\t0\n$`))
      const [listed] = JSON.parse((await gatehouse(t, ['outbox', '--json'], { env })).stdout) as { recipient: string }[]
      t.match(listed, { id, recipient: person.email, attempts: 0 })
      const shown = await gatehouse(t, ['outbox', 'show', String(id)], { env })
      t.match(shown, { status: 0, stderr: '' })
      t.match(shown.stdout, new RegExp(`^To: ${person.email}\nSubject: Confirm your e-mail address\n\nHello `))
      t.match(shown.stdout, '\nhttps://login.example.com/verify-email#token=')
      const json = JSON.parse((await gatehouse(t, ['outbox', 'show', String(id), '--json'], { env })).stdout) as {
        text: string
      }
      t.match(json, { to: person.email, html: /^<!doctype html>/ })

      const again = await startService(t, service.env, kind)
      const verified = await call(again, 'POST /auth/email/verify', { json: { token: tokenIn(json) } })
      t.equal(verified.status, 204, 'the link that was shown works')
      const bearer = await logIn(again, person)
      t.match((await call(again, 'GET /auth/me', { bearer })).body, { email_verified: true })
    }
  )
}

await t.test('outbox says what it cannot do', async (t) => {
  const service = await startService(t)
  const env = { DATABASE_URL: service.env.DATABASE_URL!, KEYS_DIR: service.env.KEYS_DIR! }
  t.strictSame(await gatehouse(t, ['outbox'], { env }), { status: 0, stdout: '', stderr: '' })
  t.equal((await gatehouse(t, ['outbox', '--json'], { env })).stdout, '[]\n')
  for (const id of ['7', '0', '-1', 'x', '1e3', '99999999999999999999']) {
    const { status, stderr } = await gatehouse(t, ['outbox', 'show', '--', id], { env })
    t.same([status, stderr], [1, `gatehouse: No mail ${id} waits: see "gatehouse outbox"\n`])
  }
  await registerPerson(service)
  const [row] = await sql<{ id: string }>(service, 'select max(id) as id from outbox')
  const keyless = await gatehouse(t, ['outbox', 'show', row!.id], { env: { ...env, KEYS_DIR: createFolder(t) } })
  t.match(keyless, { status: 1, stderr: /gatehouse keys generate/ })
})

await t.test('in production the start warns where there is no mail server', async (t) => {
  const KEYS_DIR = createFolder(t)
  await gatehouse(t, ['keys', 'generate'], { env: { KEYS_DIR } })
  const env = {
    KEYS_DIR,
    NODE_ENV: 'production',
    DATABASE_URL: await createDatabase(t),
    ARGON2_MEMORY_KIB: '19456',
    ARGON2_ITERATIONS: '2'
  }
  const service = await serve(t, env)
  t.match(await service.logged('SMTP_URL is not set'), { level: 40 })
})
