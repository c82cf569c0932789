import t, { type Test } from 'tap'
import { browserPath, openBrowser } from '../support/browser.ts'
import { call, type CallOptions, registerPerson } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startMailServer, tokenIn } from '../support/mail-server.ts'
import { generateMissingKeys } from '../../src/keys/key-files.ts'
import { exchange } from '../support/raw.ts'
import { createFolder, kinds, type Service, startService } from '../support/service.ts'

interface Mail {
  id: number
  to: string
  subject: string
  text: string
}

const local = { ISSUER: 'http://127.0.0.1:3000' }

for (const kind of kinds) {
  await t.test(`without a mail server a developer reads every mail at /dev/mail, on ${kind}`, async (t) => {
    const service = await startService(t, local, kind)
    const person = await registerPerson(service)
    await call(service, 'POST /auth/password/forgot', { json: { email: person.email } })
    const mails = await mailsIn(t, service, 2)
    t.ok(mails[0]!.id > mails[1]!.id, 'the latest first')
    t.same(new Set(mails.map(({ to }) => to)), new Set([person.email]))
    const reset = mails.find(({ subject }) => subject === 'Set a new password')
    const json = { token: tokenIn(reset ?? {}), new_password: 'another long and quiet evening' }
    t.equal((await call(service, 'POST /auth/password/reset', { json })).status, 204, 'its link works')
  })
}

await t.test('the log of a developer has each mail in full', async (t) => {
  const service = await startService(t, local)
  const person = await registerPerson(service)
  const [mail] = await mailsIn(t, service, 1)
  const told = () => service.log.map((line) => (JSON.parse(line) as { msg: string }).msg)
  await eventually(t, 'it is logged', async () =>
    told().some((msg) => msg.startsWith(`mail written to ${person.email}`))
  )
  t.ok(told().includes(`mail written to ${person.email}: ${mail!.subject}\n\n${mail!.text}`))
})

await t.test('the page shows mails in frames in which nothing runs and nothing is loaded', async (t) => {
  const service = await startService(t, local)
  await registerPerson(service)
  const [mail] = await mailsIn(t, service, 1)
  const page = await call(service, 'GET /dev/mail', { headers: { accept: 'text/html,*/*' } })
  t.match(page, { status: 200, text: mail!.subject })
  t.match(
    page.headers.get('content-security-policy'),
    /^default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; /
  )
  t.match(page.headers.get('cache-control'), 'no-store')
  t.equal((await call(service, 'GET /dev/mail.css')).status, 200)

  const shown = await call(service, `GET /dev/mail/${String(mail!.id)}`)
  t.match(shown, { status: 200, text: '#token&#x3D;' })
  const policy = shown.headers.get('content-security-policy') ?? ''
  t.match(policy, /^default-src 'none'; style-src 'unsafe-inline'; /)
  t.match(policy, /sandbox allow-popups allow-popups-to-escape-sandbox$/)
  t.equal((await call(service, 'GET /dev/mail/999')).status, 404)
})

await t.test('only requests from this machine, by a name of this machine, see mails', async (t) => {
  const service = await startService(t, {
    ...local,
    TRUST_PROXY: '127.0.0.1',
    CORS_ORIGINS: 'https://app.example.com'
  })
  await registerPerson(service)
  const [mail] = await mailsIn(t, service, 1)
  const asked = (headers: Record<string, string>): CallOptions => ({ headers })
  const paths = ['GET /dev/mail', `GET /dev/mail/${String(mail!.id)}`, 'GET /dev/mail.css'] as const
  const port = new URL(service.url).port
  for (const path of paths) {
    for (const headers of [
      { 'x-forwarded-for': '127.0.0.1' },
      { 'x-forwarded-for': '203.0.113.7' },
      { 'x-real-ip': '127.0.0.1' },
      { forwarded: 'for=127.0.0.1' },
      { via: '1.1 proxy' },
      { 'x-forwarded-host': 'localhost' },
      { origin: 'https://app.example.com' },
      { origin: 'null' }
    ]) {
      const answer = await call(service, path, asked(headers))
      t.match(answer, { status: 404, body: { code: 'not_found' } }, `${path} ${JSON.stringify(headers)}`)
    }
    for (const host of ['attacker.example', `gatehouse.test:${port}`, 'localhost.attacker.example', '']) {
      t.match(await requestWithHost(service, path, host), /^HTTP\/1\.1 4/, `${path} as ${host}`)
    }
    // nginx with a proxy_pass and nothing else.
    t.match(await exchange(service, `${path} HTTP/1.0`, `Host: localhost:${port}`, '', ''), /^HTTP\/1\.\d 404/, path)
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `app.localhost:${port}`]) {
      t.match(await requestWithHost(service, path, host), /^HTTP\/1\.1 200/, `${path} as ${host}`)
    }
  }
})

await t.test('there is no page where mails are sent, where links begin with https, and in production', async (t) => {
  const mail = await startMailServer(t)
  const sending = await startService(t, { ...local, ...mail.env })
  const remote = await startService(t, { ISSUER: 'https://login.example.com' })
  for (const service of [sending, remote]) t.equal((await call(service, 'GET /dev/mail')).status, 404)
  await registerPerson(sending)
  t.notMatch(sending.log.join(''), '#token=', 'what is sent is not logged')

  const KEYS_DIR = createFolder(t)
  generateMissingKeys(KEYS_DIR)
  const production = await startService(t, {
    NODE_ENV: 'production',
    KEYS_DIR,
    ARGON2_MEMORY_KIB: '7168',
    ARGON2_ITERATIONS: '5',
    ...local
  })
  const person = await registerPerson(production)
  t.equal((await call(production, 'GET /dev/mail')).status, 404)
  const written = () => production.log.find((line) => line.includes('mail written'))
  await eventually(t, 'the log tells of the mail', async () => written() !== undefined)
  const { id, msg } = JSON.parse(written() ?? '{}') as { id: number; msg: string }
  t.equal(msg, `mail written: "gatehouse outbox show ${String(id)}" prints it`)
  t.notMatch(production.log.join(''), new RegExp(`#token=|${person.email}`), 'and of neither its link nor its reader')
})

if (browserPath === undefined) {
  await t.test('no browser is installed here: no link was followed from the page', async (t) => {
    t.comment('Install Chromium, or name one in CHROME_PATH, to run the test that clicks a link in a shown mail.')
  })
} else {
  await t.test('a developer clicks a link in a mail, and the page of the link opens', async (t) => {
    const service = await startService(t, local)
    await registerPerson(service)
    await mailsIn(t, service, 1)
    const browser = await openBrowser(t)
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    // The links name the address in ISSUER.
    await page.context().route('http://127.0.0.1:3000/**', async (route) => {
      await route.fulfill({
        response: await route.fetch({ url: route.request().url().replace(local.ISSUER, service.url) })
      })
    })
    await page.goto(`${service.url}/dev/mail`)
    const [opened] = await Promise.all([
      page.context().waitForEvent('page'),
      page.frameLocator('iframe').getByRole('link', { name: 'Confirm the address' }).click()
    ])
    await opened.getByRole('button', { name: 'Confirm the address' }).waitFor()
    t.same(complaints, [])
  })
}

/** The mails that the service shows, once there are so many. */
async function mailsIn(t: Test, service: Service, count: number): Promise<Mail[]> {
  const list = async () => ((await call(service, 'GET /dev/mail')).body as { items: Mail[] }).items
  await eventually(t, `${String(count)} mails are shown`, async () => (await list()).length === count)
  return list()
}

function requestWithHost(service: Service, path: string, host: string): Promise<string> {
  return exchange(service, `${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', '', '')
}
