import { setImmediate as nextTurn } from 'node:timers/promises'
import { createServer } from 'node:net'
import t from 'tap'
import { registerAdmin } from '../support/admin.ts'
import { call, registerPerson } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startMailServer, tokenIn } from '../support/mail-server.ts'
import { freePort } from '../support/postgres-server.ts'
import { kinds, type Service, sql, startService } from '../support/service.ts'

const forget = (service: Service, email: string, headers: Record<string, string> = {}) =>
  call(service, 'POST /auth/password/forgot', { json: { email }, headers })

/** How many mails, and requests for some, wait. */
const waiting = async (service: Service) =>
  Number((await sql<{ count: string }>(service, 'select count(*) from jobs'))[0]?.count)

await t.test('mails are plain text and HTML, in the language of who asks', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, { ...mail.env, PUBLIC_URL: 'https://login.example.com/accounts/' })
  const person = await registerPerson(service)
  await mail.mailTo(t, person.email)
  const preferences: [header: string, language: 'en' | 'ru'][] = [
    ['', 'en'],
    ['ru', 'ru'],
    ['ru-RU, en;q=0.8', 'ru'],
    ['de-DE,de;q=0.9,ru;q=0.5,en;q=0.3', 'ru'],
    ['ru;q=0.2, en;q=0.9', 'en'],
    ['ru;q=0, *', 'en'],
    ['*', 'en'],
    ['fr', 'en'],
    [';;q=,=,ru;q=x,\u00ff', 'en']
  ]
  for (const [n, [header, language]] of preferences.entries()) {
    await forget(service, person.email, { 'accept-language': header })
    const got = await mail.mailTo(t, person.email, n + 2)
    const link = `https://login.example.com/accounts/reset-password#token=${tokenIn(got)}`
    t.match(got.from?.text, '"Gatehouse" <no-reply@gatehouse.test>')
    t.equal(got.subject, language === 'en' ? 'Set a new password' : 'Новый пароль', header)
    t.match(got.text, language === 'en' ? /^Hello,/ : /^Здравствуйте!/)
    t.ok(got.text?.includes(`\n${link}\n`), 'the text holds the link, on a line of its own')
    const html = String(got.html)
    t.match(html, new RegExp(`<html lang="${language}">`))
    t.match(html.replaceAll('&#x2F;', '/').replaceAll('&#x3D;', '='), `href="${link}"`, 'and so does the HTML')
    t.notMatch(html, /src=|<script|<img|\{\{/, 'which loads nothing')
    t.equal(got.headers.get('auto-submitted'), 'auto-generated')
    t.match(got.messageId, /^<\d+\.\d+\.gatehouse@login\.example\.com>$/)
  }
})

await t.test('a hostile name is text: it makes neither HTML nor another header', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const { id, email } = await registerPerson(service)
  await mail.mailTo(t, email)
  const name = '<img src=x onerror=alert(1)>{{link}}\r\nBcc: evil@example.com'
  await sql(service, 'update users set username = $1, password = null, email_verified = true where id = $2', [name, id])
  await forget(service, email)
  const got = await mail.mailTo(t, email, 2)
  t.match(String(got.html), '&lt;img src&#x3D;x onerror&#x3D;alert(1)&gt;{{link}}')
  t.notMatch(String(got.html), '<img')
  t.ok(got.text?.includes('<img src=x onerror=alert(1)>{{link}}'), 'in plain text it is as it is')
  t.equal(got.headers.get('bcc'), undefined)
  t.same(mail.mailsTo('evil@example.com'), [])
})

await t.test('a username that is a link stands in no mail to an address that its user has not verified', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const person = { username: 'win-9000eur.www.example.com', email: 'stranger@example.org', password: 'a long evening' }
  t.equal((await call(service, 'POST /auth/registration', { json: person })).status, 201)
  const both = [await mail.mailTo(t, person.email)]
  await forget(service, person.email)
  both.push(await mail.mailTo(t, person.email, 2))
  for (const { text = '', html, subject } of both) {
    t.notMatch([text, html, subject].join(), /9000eur|www|example\.com/)
    t.match(text, 'win-9000…', 'who knows the account knows it by this')
  }
  const json = { token: tokenIn(both[0]!) }
  t.equal((await call(service, 'POST /auth/email/verify', { json })).status, 204)
  await forget(service, person.email)
  const { text = '' } = await mail.mailTo(t, person.email, 3)
  t.match(text.replaceAll('\u200c', ''), person.username, 'afterwards it is their own')
})

for (const kind of kinds) {
  await t.test(`a mail server that is down loses no mail, on ${kind}`, async (t) => {
    const mail = await startMailServer(t)
    const service = await startService(t, mail.env, kind)
    await mail.stop()
    const people = []
    for (let n = 0; n < 5; n++) {
      people.push(await registerPerson(service))
    }
    await eventually(t, 'the failure is logged', async () => service.log.join('').includes('mail not sent'))
    await mail.restart()
    for (const { email } of people) await mail.mailTo(t, email)
    await eventually(
      t,
      'the outbox is empty',
      async () => (await service.app.database.db.query.jobs.findMany()).length === 0
    )
    for (const { email } of people) t.equal(mail.mailsTo(email).length, 1, 'every mail came once')
    const logged = service.log.join('')
    for (const { email } of people) t.notOk(logged.includes(email), 'no address is logged')
    for (const one of mail.mails) t.notOk(logged.includes(tokenIn(one)), 'and no link')
  })
}

await t.test('two instances on one database send every mail once, and one sends what the other left', async (t) => {
  const mail = await startMailServer(t)
  const first = await startService(t, mail.env)
  const second = await startService(t, first.env)
  const people = [await registerPerson(first), await registerPerson(second)]
  await Promise.all(
    Array.from({ length: 40 }, (_, n) => forget(n % 2 === 0 ? first : second, people[n % people.length]!.email))
  )
  await eventually(t, 'the outbox is empty', async () => (await waiting(first)) === 0)
  const ids = mail.mails.map(({ messageId }) => messageId)
  t.equal(new Set(ids).size, ids.length, 'no mail came twice')
  t.ok(ids.length >= people.length * 2)

  await first.close()
  await sql(first, insertMail('left@example.com'))
  await mail.mailTo(t, 'left@example.com')
})

await t.test('a mail whose sender was lost is sent by another when the lease has passed', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const claimed = insertMail('claimed@example.com', 1, '1.5 seconds')
  await sql(service, claimed)
  await forget(service, 'claimed@example.com')
  await nextTurn()
  t.same(mail.mailsTo('claimed@example.com'), [])
  await mail.mailTo(t, 'claimed@example.com')
})

await t.test(
  'what the server refuses for good is given up: the audit tells administrators, and the log not who',
  async (t) => {
    const mail = await startMailServer(t)
    const service = await startService(t, mail.env)
    const admin = await registerAdmin(service)
    await mail.mailTo(t, admin.email)
    const refusals: [refused: Map<string, number>, response: number][] = [
      [mail.refuse, 550],
      [mail.refuse, 553],
      [mail.refuseContent, 550],
      [mail.refuseContent, 552],
      [mail.refuseContent, 554]
    ]
    for (const [index, [refused, response]] of refusals.entries()) {
      const person = await registerPerson(service)
      await mail.mailTo(t, person.email)
      refused.set(person.email, response)
      await forget(service, person.email)
      await eventually(t, 'it is given up', async () => {
        const lines = service.log.filter((line) => line.includes('mail given up: the server refuses it'))
        return lines.length === index + 1 && lines[index]!.includes(`"response":${String(response)}`)
      })
      t.equal(await waiting(service), 0)
      t.notOk(service.log.join('').includes(person.email))
      const path = `/admin/audit-events?type=mail.refused&user_id=${String(person.id)}` as const
      const events = await call(service, `GET ${path}`, { bearer: admin.token })
      t.match(events.body, {
        items: [{ user_id: person.id, details: { template: 'password_reset', response } }]
      })
    }
  }
)

await t.test('what the server refuses for now is tried again', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const person = await registerPerson(service)
  await mail.mailTo(t, person.email)
  for (const [refused, response] of [
    [mail.refuse, 450],
    [mail.refuseContent, 452]
  ] as const) {
    const count = mail.mailsTo(person.email).length
    refused.set(person.email, response)
    await forget(service, person.email)
    await eventually(t, 'it is refused', async () => service.log.join('').includes(`"response":${String(response)}`))
    refused.clear()
    await mail.mailTo(t, person.email, count + 1)
  }
})

await t.test('a server that takes the call and says nothing keeps neither answers nor the end waiting', async (t) => {
  const port = await freePort()
  const silent = createServer((socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const service = await startService(t, { SMTP_URL: `smtp://127.0.0.1:${String(port)}`, MAIL_FROM: 'a@example.com' })
  const person = await registerPerson(service)
  const lease = async () => {
    const [row] = await sql<{ left: number; end: Date }>(
      service,
      `select extract(epoch from due_at - now())::float as left, due_at as end
       from jobs where attempts = 1 and payload ->> 'template' = 'email_verification'`
    )
    return row
  }
  let first = await lease()
  await eventually(t, 'it is tried', async () => (first = await lease()) !== undefined)
  t.ok(first!.left <= 15, 'were this instance lost, another would send it soon')
  await eventually(t, 'while it is tried, no other takes it', async () => (await lease())!.end > first!.end)
  let began = performance.now()
  t.equal((await forget(service, person.email)).status, 202)
  t.ok(performance.now() - began < 5000, 'the answer does not wait for the server')
  began = performance.now()
  await service.close()
  t.ok(performance.now() - began < 8000, 'it stops without the server')
  t.equal(await waiting(service), 2, 'and what was not sent is still there')
})

/** A job to send a notice, as an instance leaves it. */
function insertMail(recipient: string, attempts = 0, wait = '0 seconds'): string {
  const payload = JSON.stringify({ template: 'password_changed', language: 'en', recipient })
  return `insert into jobs (kind, payload, priority, attempts, due_at)
    values ('mail', '${payload}', 2, ${String(attempts)}, now() + interval '${wait}')`
}
