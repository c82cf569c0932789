import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { browserPath } from '../test/support/browser.ts'

// Whether the built site works in a browser, on a phone and in the dark: no page is wider than the screen, nothing comes
// from elsewhere or breaks the policy, and the search finds. "npm run check:site -- FOLDER" leaves pictures in FOLDER.
const [pictures] = process.argv.slice(2)
const site = resolve('website/dist')
// No server is needed: the browser gets the files from here, and nothing else from anywhere.
const url = 'http://site.test'
const faults: string[] = []

if (browserPath === undefined) {
  console.log(
    'Chromium is not here, so the site was built and not opened: put it on the PATH, or name it in CHROME_PATH'
  )
} else {
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] })
  const pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'))
  await look(browser, pages, 'phone', { viewport: { width: 390, height: 844 } })
  await look(browser, pages, 'dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' })
  await search(browser)
  await browser.close()
  console.log(`${String(pages.length)} pages looked at, ${String(faults.length)} faults`)
}
for (const fault of new Set(faults)) console.log(fault)
process.exitCode = faults.length > 0 ? 1 : 0

async function look(browser: Browser, pages: string[], name: string, options: BrowserContextOptions) {
  const page = await openPage(browser, options)
  for (const path of pages) {
    await page.goto(`${url}/${path}`)
    await untilRunning(page)
    const width = await page.evaluate<number>('document.documentElement.scrollWidth')
    const screen = page.viewportSize()?.width ?? 0
    if (width > screen) faults.push(`${path} is ${String(width)} pixels wide on a ${name} of ${String(screen)}`)
    if (pictures !== undefined)
      await page.screenshot({ path: join(pictures, `site-${name}-${path.replaceAll('/', '-')}.png`) })
  }
  await page.close()
}

async function search(browser: Browser) {
  const page = await openPage(browser)
  await page.goto(url)
  await untilRunning(page)
  await page.getByRole('button', { name: 'Search' }).click()
  await page.getByPlaceholder('Search').fill('leaked')
  const found = await page
    .getByRole('option')
    .filter({ hasText: 'A key has leaked' })
    .first()
    .waitFor({ timeout: 10_000 })
    .then(
      () => true,
      () => false
    )
  if (!found) faults.push('The search does not find the page about a leaked key')
  await page.close()
}

async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage(options)
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`${page.url()}: ${message.text()}`)
  })
  await page.route('**', async (route) => {
    const { origin, pathname } = new URL(route.request().url())
    if (origin === url) return route.fulfill({ path: join(site, pathname === '/' ? 'index.html' : pathname) })
    faults.push(`${page.url()} asks for ${route.request().url()}`)
    return route.abort()
  })
  return page
}

/** Waits until the scripts of the page have taken over. Nothing may be evaluated by the page itself: its policy forbids it. */
async function untilRunning(page: Page): Promise<void> {
  const isRunning = `Object.hasOwn(document.querySelector('#app') ?? {}, '__vue_app__')`
  const deadline = performance.now() + 30_000
  while (!(await page.evaluate<boolean>(isRunning))) {
    if (performance.now() > deadline) throw new Error(`The scripts of ${page.url()} do not run`)
    await delay(10)
  }
}
