import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { browserPath, openBrowser } from '../support/browser.ts'
import { call, logIn, registerPerson } from '../support/client.ts'
import { startMailServer } from '../support/mail-server.ts'
import { startService } from '../support/service.ts'
import { createShell } from '../support/shell.ts'

const paths = ['/verify-email', '/reset-password', '/undo-email-change'] as const

await t.test('the pages of mailed links load and call nothing but this service', async (t) => {
  const service = await startService(t)
  for (const path of paths) {
    const page = await call(service, `GET ${path}`, { headers: { 'accept-language': 'en' } })
    t.match(page, { status: 200, text: /<html lang="en">/ })
    t.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
    t.equal(page.headers.get('cache-control'), 'no-store')
    t.equal(page.headers.get('referrer-policy'), 'no-referrer')
    t.equal(page.headers.get('vary'), 'Accept-Language')
    const policy = page.headers.get('content-security-policy') ?? ''
    t.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; /)
    t.match(policy, "frame-ancestors 'none'")
    t.notMatch(
      page.text,
      /<script>|<style|\sstyle=|\son\w+=|https?:/,
      'nothing is inline, nothing comes from elsewhere'
    )
    for (const [, file = ''] of page.text.matchAll(/(?:src|href)="(pages\/[^"]+)"/g)) {
      t.equal((await call(service, `GET /${file}`)).status, 200, file)
    }
    const russian = await call(service, `GET ${path}`, { headers: { 'accept-language': 'ru' } })
    t.match(russian.text, /<html lang="ru">[^]*[А-Я][а-я]+/)
    t.notMatch(russian.text, /undefined|\{minimum\}/)
  }
})

await t.test('the start page says what this is, and leads to what is served', async (t) => {
  const pages = [
    { env: { ISSUER: 'http://127.0.0.1:3000' }, places: ['docs', 'dev/mail', 'openapi.json', 'health/ready'] },
    { env: { ISSUER: 'https://login.example.com' }, places: ['docs', 'openapi.json', 'health/ready'] },
    { env: { DOCS: 'off' }, places: ['dev/mail', 'health/ready'] }
  ]
  for (const { env, places } of pages) {
    const service = await startService(t, env)
    const page = await call(service, 'GET /', { headers: { 'accept-language': 'en' } })
    t.match(page, { status: 200, text: /This is an authentication service/ })
    t.match(
      page.headers.get('content-security-policy'),
      /^default-src 'none'; style-src 'self'; img-src data:; base-uri/
    )
    const links = [...page.text.matchAll(/<a href="([^"]+)"/g)].map(([, href = '']) => href)
    t.same(links, places)
    for (const link of links) t.equal((await call(service, `GET /${link}`)).status, 200, link)
    const russian = await call(service, 'GET /', { headers: { 'accept-language': 'ru' } })
    t.match(russian.text, /<html lang="ru">[^]*Это сервис аутентификации/)
  }
})

await t.test('the first command of the start page registers a user', async (t) => {
  const service = await startService(t)
  const { text } = await call(service, 'GET /', { headers: { 'accept-language': 'en' } })
  const [, command = ''] = /<pre tabindex="0">(curl [^<]+)<\/pre>/.exec(text) ?? []
  const shown = command.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&#x2F;', '/')
  const printed = await createShell(t)(shown.replace('http://gatehouse.test', service.url))
  t.equal(printed, '{"message":"User created successfully"}')
})

if (browserPath === undefined) {
  await t.test('no browser is installed here: the links were not followed in one', async (t) => {
    t.comment('Install Chromium, or name one in CHROME_PATH, to run the test that follows mailed links.')
  })
} else {
  await t.test('people follow the links of mails in a browser, and are told what came of it', async (t) => {
    const mail = await startMailServer(t)
    const service = await startService(t, mail.env)
    const browser = await openBrowser(t)
    const person = await registerPerson(service)
    const linkIn = (text = '') => (/\S+#token=\S+/.exec(text)?.[0] ?? '').replace('http://gatehouse.test', service.url)

    const page = await browser.newPage({ locale: 'en-GB' })
    const complaints = listen(page, service.url)

    const verification = linkIn((await mail.mailTo(t, person.email)).text)
    await page.goto(verification)
    t.notMatch(page.url(), 'token', 'the token does not stay in the address bar')
    t.match(await page.locator('main').innerText(), `The account: ${person.username.slice(0, 8)}…`)
    t.match((await call(service, 'GET /auth/me', { bearer: person.token })).body, { email_verified: false })
    await page.getByRole('button', { name: 'Confirm the address' }).click()
    await says(t, page, /^Thank you/)
    t.match((await call(service, 'GET /auth/me', { bearer: person.token })).body, { email_verified: true })
    await page.goto('about:blank')
    await page.goto(verification)
    await page.getByRole('button', { name: 'This was not me' }).click()
    await says(t, page, /no longer works/)
    await page.goto(`${service.url}/verify-email`)
    await says(t, page, /incomplete/)
    t.equal(await page.getByRole('button').count(), 0, 'without a token there is nothing to press')

    await call(service, 'POST /auth/password/forgot', { json: { email: person.email } })
    await page.goto(linkIn((await mail.mailTo(t, person.email, 2)).text))
    const field = page.getByLabel('New password')
    await field.fill('short')
    await field.press('Enter')
    await says(t, page, /at least 8 characters/)
    await field.fill('long '.repeat(26))
    await field.press('Enter')
    await says(t, page, /at most 128 characters/)
    await field.fill('password1')
    await page.getByRole('button', { name: 'Set the password' }).click()
    await says(t, page, /too easy to guess/)
    await page.getByLabel('Show the password').check()
    t.equal(await field.getAttribute('type'), 'text')
    await field.fill('another quiet evening')
    await page.getByRole('button', { name: 'Set the password' }).click()
    await says(t, page, /^Your password is set/)
    t.equal(await page.evaluate('document.activeElement.id'), 'status', 'and it is read out')
    t.ok(await logIn(service, { ...person, password: 'another quiet evening' }))

    const stranger = await registerPerson(service)
    await page.goto('about:blank')
    await page.goto(linkIn((await mail.mailTo(t, stranger.email)).text))
    await page.getByRole('button', { name: 'This was not me' }).click()
    await says(t, page, /^Thank you. That account can no longer use your address/)
    await t.rejects(logIn(service, stranger), /401/)

    const bearer = await logIn(service, { ...person, password: 'another quiet evening' })
    await call(service, 'PATCH /auth/me', { bearer, json: { email: `new-${person.email}` } })
    await page.goto(linkIn((await mail.mailTo(t, person.email, 4)).text))
    await page.getByRole('button', { name: 'Undo the change' }).click()
    await says(t, page, /^The change was undone/)
    t.equal((await call(service, 'GET /auth/me', { bearer })).status, 401)

    const russian = await browser.newPage({ locale: 'ru-RU' })
    const alsoHeard = listen(russian, service.url)
    await russian.goto(`${service.url}/reset-password#token=x`)
    await russian.getByLabel('Новый пароль').fill('another quiet evening')
    await russian.getByRole('button', { name: 'Сохранить пароль' }).click()
    await says(t, russian, /^Ссылка больше не действует/)
    t.same([...complaints, ...alsoHeard], [], 'the console is quiet, and nobody else was asked')
  })
}

/** Waits until the page says so. */
async function says(t: Test, page: Page, words: RegExp): Promise<void> {
  await page.getByRole('status').filter({ hasText: words }).waitFor({ timeout: 10_000 })
  t.match(await page.getByRole('status').innerText(), words)
}

/** What goes wrong on a page, and what it asks of others. */
function listen(page: Page, origin: string): string[] {
  const heard: string[] = []
  page.on('pageerror', ({ message }) => heard.push(message))
  page.on('console', (message) => {
    const answered = message.text().startsWith('Failed to load resource: the server responded with a status of 4')
    if (['error', 'warning'].includes(message.type()) && !answered) heard.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !/^(data|about):/.test(request.url())) heard.push(request.url())
  })
  return heard
}
