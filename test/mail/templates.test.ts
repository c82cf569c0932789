import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { languages } from '../../src/language.ts'
import { type MailName, mails, readTemplates } from '../../src/mail/templates.ts'
import { registerPerson } from '../support/client.ts'
import { startMailServer, tokenIn } from '../support/mail-server.ts'
import { createFolder, startService } from '../support/service.ts'

function folderOf(t: Parameters<typeof createFolder>[0], files: Record<string, string>): string {
  const folder = createFolder(t)
  for (const [name, template] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), template)
  }
  return folder
}

await t.test(
  'every mail there is has its three parts in both languages, and its link where there is one',
  async (t) => {
    const render = readTemplates()
    for (const name of Object.keys(mails) as MailName[]) {
      const texts = languages.map((language) => {
        const link = mails[name].page === undefined ? {} : { link: 'https://x.example/y#token=z' }
        const { subject, text, html } = render(name, language, {
          username: 'alice',
          service: 'login.example.com',
          ...link
        })
        t.match(subject, /^\S.{8,60}\S$/, `${name} ${language}`)
        t.match(text, 'alice')
        t.match(html, 'alice')
        t.equal(text.includes('https://x.example/y#token=z'), link.link !== undefined)
        t.notMatch(subject + text + html, /\{\{|undefined|\n{3}/)
        return text
      })
      t.equal(new Set(texts).size, languages.length, `${name} is translated`)
      t.match(texts[1], /[а-я]{5}/)
    }
  }
)

await t.test("a team's own template is used, and ours where it has none", async (t) => {
  const mail = await startMailServer(t)
  const MAIL_TEMPLATES_DIR = folderOf(t, {
    'en/email_verification.subject.mustache': 'Welcome\r\nBcc: evil@example.com\r\n\r\nto {{service}}, {{username}}',
    'en/email_verification.html.mustache': '<p>Ours, <a href="{{link}}">yours</a></p>'
  })
  const service = await startService(t, { ...mail.env, MAIL_TEMPLATES_DIR })
  const person = await registerPerson(service)
  const got = await mail.mailTo(t, person.email)
  const beginning = `${person.username.slice(0, 8)}…`
  t.equal(got.subject, `Welcome Bcc: evil@example.com to gatehouse.test, ${beginning}`, 'in one line')
  t.match(String(got.html), '<p>Ours, <a href=')
  t.match(got.text, 'confirm the address')
  t.not(tokenIn(got), '')
})

await t.test('templates that cannot be used keep the service from starting, and each is named', async (t) => {
  const faulty = folderOf(t, {
    'en/email_verification.text.mustache': 'Hello {{user}}, {{link}}',
    'en/password_reset.html.mustache': '<p>no link</p>',
    'ru/invitation.text.mustache': '{{#link}} never closed',
    'ru/layout.html.mustache': '<html></html>',
    'en/pasword_reset.text.mustache': '{{link}}'
  })
  t.throws(() => readTemplates(faulty), {
    message: [
      'The settings are not valid:',
      'en/email_verification.text.mustache names {{user}}: there is username, service, link',
      'en/password_reset.html.mustache lacks {{link}}',
      'en/pasword_reset.text.mustache is the name of no mail',
      'ru/invitation.text.mustache is no Mustache template: Unclosed section "link" at 22',
      'ru/layout.html.mustache lacks {{content}}'
    ].join('\n  MAIL_TEMPLATES_DIR: ')
  })
  await t.rejects(startService(t, { MAIL_TEMPLATES_DIR: faulty }), { name: 'Error', message: /is the name of no mail/ })
  await t.rejects(startService(t, { MAIL_TEMPLATES_DIR: join(faulty, 'nowhere') }), { message: /there is no folder/ })
})
