import t from 'tap'
import { call, logIn, registerPerson } from '../support/client.ts'
import { gatehouse, serve } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { tokenIn } from '../support/mail-server.ts'
import { createDatabase, createFolder, kinds, startService } from '../support/service.ts'

for (const kind of kinds) {
  await t.test(`without SMTP_URL mails wait, and the command line shows them, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    const person = await registerPerson(service)
    const written = () => service.log.find((line) => line.includes('mail written'))
    await eventually(t, 'the log tells', async () => written() !== undefined)
    const { id } = JSON.parse(written() ?? '{}') as { id: number }
    await service.close()

    const { DATABASE_URL = '', KEYS_DIR = '' } = service.env
    const env = { DATABASE_URL, KEYS_DIR, ISSUER: 'https://login.example.com' }
    const list = await gatehouse(t, ['outbox'], { env })
    t.match(
      list.stdout,
      new RegExp(`^ID .* RECIPIENT\\n${String(id)} +\\S+ +email_verification +en +0 +${person.email}\\n$`)
    )
    const { stdout } = await gatehouse(t, ['outbox', 'show', String(id)], { env })
    t.match(stdout, new RegExp(`^To: ${person.email}\nSubject: Confirm your e-mail address\n\nThe account `))
    t.match(stdout, '\nhttps://login.example.com/verify-email#token=')

    const again = await startService(t, service.env, kind)
    const verified = await call(again, 'POST /auth/email/verify', { json: { token: tokenIn({ text: stdout }) } })
    t.equal(verified.status, 204, 'the link that was shown works')
    const bearer = await logIn(again, person)
    t.match((await call(again, 'GET /auth/me', { bearer })).body, { email_verified: true })
  })
}

await t.test('outbox prints JSON, and says what it cannot do', async (t) => {
  const service = await startService(t)
  const person = await registerPerson(service)
  await eventually(t, 'a mail waits', async () => service.log.join('').includes('mail written'))
  const env = { DATABASE_URL: service.env.DATABASE_URL!, KEYS_DIR: service.env.KEYS_DIR! }
  const [listed] = JSON.parse((await gatehouse(t, ['outbox', '--json'], { env })).stdout) as { id: number }[]
  t.match(listed, { recipient: person.email, template: 'email_verification', attempts: 0 })
  const id = String(listed!.id)
  const shown = JSON.parse((await gatehouse(t, ['outbox', 'show', id, '--json'], { env })).stdout) as object
  t.match(shown, { to: person.email, subject: /^\w/, text: /#token=/, html: /^<!doctype html>/ })
  t.equal((await gatehouse(t, ['outbox', 'list', '--limit', '0', '--json'], { env })).stdout, '[]\n')
  t.equal((await gatehouse(t, ['outbox', '--after', id, '--json'], { env })).stdout, '[]\n')
  const missing = await gatehouse(t, ['outbox', 'show', '1e3'], { env })
  t.strictSame(missing, { status: 1, stdout: '', stderr: 'gatehouse: No mail 1e3 waits: see "gatehouse outbox"\n' })
  const keyless = await gatehouse(t, ['outbox', 'show', id], { env: { ...env, KEYS_DIR: createFolder(t) } })
  t.match(keyless, { status: 1, stderr: /gatehouse keys generate/ })
})

await t.test('in production the start warns where there is no mail server', async (t) => {
  const KEYS_DIR = createFolder(t)
  await gatehouse(t, ['keys', 'generate'], { env: { KEYS_DIR } })
  const cost = { ARGON2_MEMORY_KIB: '19456', ARGON2_ITERATIONS: '2' }
  const service = await serve(t, {
    ...cost,
    KEYS_DIR,
    NODE_ENV: 'production',
    DATABASE_URL: await createDatabase(t)
  })
  t.match(await service.logged('SMTP_URL is not set'), { level: 40 })
})
