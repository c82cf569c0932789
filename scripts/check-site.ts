import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fastifyStatic from '@fastify/static'
import Fastify from 'fastify'
import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core'
import { browserPath } from '../test/support/browser.ts'

// Whether the built site works in a browser, on a phone and in the dark: no page is wider than the screen, nothing comes
// from elsewhere or breaks the policy, and the search finds. "npm run check:site -- FOLDER" leaves pictures in FOLDER.
const [pictures] = process.argv.slice(2)
const site = resolve('website/dist')
const faults: string[] = []
// The scripts of the page have taken over.
const isRunning = `Object.hasOwn(document.querySelector('#app') ?? {}, '__vue_app__')`

if (browserPath === undefined) {
  console.log(
    'Chromium is not here, so the site was built and not opened: put it on the PATH, or name it in CHROME_PATH'
  )
} else {
  const app = Fastify()
  await app.register(fastifyStatic, { root: site })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] })
  const pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'))
  await look(browser, url, pages, 'phone', { viewport: { width: 390, height: 844 } })
  await look(browser, url, pages, 'dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' })
  await search(browser, url)
  await browser.close()
  await app.close()
  console.log(`${String(pages.length)} pages looked at, ${String(faults.length)} faults`)
}
for (const fault of new Set(faults)) console.log(fault)
process.exitCode = faults.length > 0 ? 1 : 0

async function look(browser: Browser, url: string, pages: string[], name: string, options: BrowserContextOptions) {
  const page = await browser.newPage(options)
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`${page.url()}: ${message.text()}`)
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) faults.push(`${page.url()} asks for ${request.url()}`)
  })
  for (const path of pages) {
    await page.goto(`${url}/${path}`)
    await page.waitForFunction(isRunning)
    const width = await page.evaluate<number>('document.documentElement.scrollWidth')
    const screen = page.viewportSize()?.width ?? 0
    if (width > screen) faults.push(`${path} is ${String(width)} pixels wide on a ${name} of ${String(screen)}`)
    if (pictures !== undefined)
      await page.screenshot({ path: join(pictures, `site-${name}-${path.replaceAll('/', '-')}.png`) })
  }
  await page.close()
}

async function search(browser: Browser, url: string) {
  const page = await browser.newPage()
  await page.goto(url)
  await page.waitForFunction(isRunning)
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
