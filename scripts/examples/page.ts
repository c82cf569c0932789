import assert from 'node:assert/strict'
import { chromium, type Page } from 'playwright-core'
import { browserPath } from '../../test/support/browser.ts'

const alice = { username: 'alice', email: 'alice@example.com', password: 'a long and quiet evening' }

/** Uses the page of the example in Chromium as a visitor does. @returns false where there is no Chromium */
export async function visit(url: string, stopGatehouse: () => Promise<unknown>): Promise<boolean> {
  if (browserPath === undefined) return false
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking']
  })
  try {
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, colorScheme: 'dark' })
    const page = await context.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    await page.goto(url)
    await registers(page)

    const tokens = (await context.cookies(`${url}/auth/`)).filter(({ name }) => name.endsWith('_token'))
    assert.ok(tokens.length >= 2 && tokens.every(({ httpOnly }) => httpOnly), 'scripts do not see the tokens')
    assert.equal(await page.evaluate('document.cookie'), '')
    await page.reload()
    await shows(page, 'alice')

    await context.clearCookies({ name: 'access_token' })
    await page.getByRole('button', { name: 'Ask again' }).click()
    await page.waitForResponse((answer) => answer.url().endsWith('/auth/me') && answer.ok())
    await shows(page, 'alice')

    await logsOutAndIn(page)
    await context.clearCookies()
    await page.getByRole('button', { name: 'Ask again' }).click()
    await says(page, 'You are signed out.')

    const scrollWidth = await page.evaluate<number>('document.documentElement.scrollWidth')
    assert.ok(scrollWidth <= 320, 'nothing sticks out of a phone')
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor')
    assert.equal(background, 'rgb(28, 25, 23)', 'it is dark in the dark')
    await stopGatehouse()
    await logsIn(page, alice.password)
    await says(page, 'Gatehouse cannot be reached.')
    assert.deepEqual(faults, [])
    return true
  } finally {
    await browser.close()
  }
}

async function registers(page: Page): Promise<void> {
  const form = page.locator('#registration')
  await form.getByLabel('Username').fill(alice.username)
  await form.getByLabel('E-mail address').fill(alice.email)
  await form.getByLabel('Password').fill('password')
  await form.getByRole('button', { name: 'Register' }).click()
  await page
    .getByRole('status')
    .filter({ hasText: /password/i })
    .waitFor()
  await form.getByLabel('Password').fill(alice.password)
  await form.getByRole('button', { name: 'Register' }).click()
  await shows(page, 'alice')
  assert.match(await page.getByRole('region', { name: 'alice' }).innerText(), /alice@example\.com[^]*reader/)
}

async function logsOutAndIn(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Log out' }).click()
  await says(page, 'You have logged out.')
  await logsIn(page, 'another evening')
  await says(page, 'Incorrect username or password')
  await logsIn(page, alice.password)
  await shows(page, 'alice')
}

async function logsIn(page: Page, password: string): Promise<void> {
  const form = page.locator('#login')
  await form.getByLabel('Username').fill(alice.username)
  await form.getByLabel('Password').fill(password)
  await form.getByRole('button', { name: 'Log in' }).click()
}

const shows = (page: Page, name: string) => page.getByRole('heading', { name, level: 2 }).waitFor()
const says = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text }).waitFor()
