import { setImmediate as nextTurn } from 'node:timers/promises'
import { createServer } from 'node:net'
import t from 'tap'
import { call, registerPerson } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startMailServer, tokenIn } from '../support/mail-server.ts'
import { freePort } from '../support/postgres-server.ts'
import { kinds, type Service, sql, startService } from '../support/service.ts'

const forget = (service: Service, email: string, headers: Record<string, string> = {}) =>
  call(service, 'POST /auth/password/forgot', { json: { email }, headers })

/** How many mails, and requests for some, wait. */
const waiting = async (service: Service) =>
  Number((await sql<{ count: string }>(service, 'select count(*) from outbox'))[0]?.count)

await t.test('mails are plain text and HTML, in the language of who asks', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, { ...mail.env, PUBLIC_URL: 'https://login.example.com/door/' })
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
    const link = `https://login.example.com/door/reset-password#token=${tokenIn(got)}`
    t.match(got.from?.text, '"Gatehouse" <no-reply@gatehouse.test>')
    t.equal(got.subject, language === 'en' ? 'Set a new password' : 'Новый пароль', header)
    t.match(got.text, language === 'en' ? /^Hello user-/ : /^Здравствуйте, user-/)
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
  await sql(service, 'update users set username = $1, password = null where id = $2', [name, id])
  await forget(service, email)
  const got = await mail.mailTo(t, email, 2)
  t.match(String(got.html), '&lt;img src&#x3D;x onerror&#x3D;alert(1)&gt;{{link}}')
  t.notMatch(String(got.html), '<img')
  t.ok(got.text?.includes('<img src=x onerror=alert(1)>{{link}}'), 'in plain text it is as it is')
  t.equal(got.headers.get('bcc'), undefined)
  t.same(mail.mailsTo('evil@example.com'), [])
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
      async () => (await service.app.database.db.query.outbox.findMany()).length === 0
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
  await sql(
    first,
    "insert into outbox (recipient, template, language) values ('left@example.com', 'password_changed', 'en')"
  )
  await mail.mailTo(t, 'left@example.com')
})

await t.test('a mail whose sender was lost is sent by another when the lease has passed', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const claimed = `insert into outbox (recipient, template, language, attempts, next_attempt_at)
    values ('claimed@example.com', 'password_changed', 'en', 1, now() + interval '1.5 seconds')`
  await sql(service, claimed)
  await forget(service, 'claimed@example.com')
  await nextTurn()
  t.same(mail.mailsTo('claimed@example.com'), [])
  await mail.mailTo(t, 'claimed@example.com')
})

await t.test('a recipient that the server refuses is given up, and the log does not say who', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, mail.env)
  const person = await registerPerson(service)
  await mail.mailTo(t, person.email)
  mail.refuse.add(person.email)
  await forget(service, person.email)
  await eventually(t, 'it is given up', async () =>
    service.log.some((line) => line.includes('mail given up: the server refuses its recipient'))
  )
  t.equal(await waiting(service), 0)
  t.match(service.log.join(''), '"response":550')
  t.notOk(service.log.join('').includes(person.email))
})

await t.test('a server that takes the call and says nothing keeps neither answers nor the end waiting', async (t) => {
  const port = await freePort()
  const silent = createServer((socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const service = await startService(t, { SMTP_URL: `smtp://127.0.0.1:${String(port)}`, MAIL_FROM: 'a@example.com' })
  const person = await registerPerson(service)
  await eventually(
    t,
    'it is tried',
    async () => (await sql(service, 'select 1 from outbox where attempts = 1')).length > 0
  )
  let began = performance.now()
  t.equal((await forget(service, person.email)).status, 202)
  t.ok(performance.now() - began < 5000, 'the answer does not wait for the server')
  began = performance.now()
  await service.close()
  t.ok(performance.now() - began < 8000, 'it stops without the server')
  t.equal(await waiting(service), 2, 'and what was not sent is still there')
})

await t.test('what can no longer be of use is swept', async (t) => {
  const { deleteUselessMails } = await import('../../src/mail/outbox.ts')
  const { sweep } = await import('../../src/sweeper.ts')
  const service = await startService(t)
  const { db } = service.app.database
  const people = [await registerPerson(service), await registerPerson(service), await registerPerson(service)]
  const mails = () => sql<{ template: string }>(service, 'select template from outbox order by id')
  await eventually(
    t,
    'each has a mail',
    async () => (await mails()).filter(({ template }) => template === 'email_verification').length === 3
  )
  await sql(service, 'update account_tokens set expires_at = now() where user_id = $1', [people[0]!.id])
  await sql(service, "update outbox set created_at = now() - interval '4 days' where user_id = $1", [people[1]!.id])
  t.equal(await deleteUselessMails(db), 2)
  t.equal((await mails()).length, 1)
  t.equal(await sweep(db, { auditRetention: 365 }), 1, 'the expired token')
})
