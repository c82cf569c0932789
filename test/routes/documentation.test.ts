import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import t from 'tap'
import { browserPath, openBrowser } from '../support/browser.ts'
import { toOpenapi30 } from '../../scripts/generated-files.ts'
import { call } from '../support/client.ts'
import { startService } from '../support/service.ts'

interface Schema {
  properties: Record<string, object>
}

interface OpenApi {
  openapi: string
  info: { version: string }
  paths: Record<string, Record<string, { operationId?: string }>>
  components: { schemas: Record<string, Schema> }
}

await t.test('the document is OpenAPI 3.1 and names every operation once', async (t) => {
  const service = await startService(t)
  const answer = await call(service, 'GET /openapi.json')
  const document = answer.body as OpenApi
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^application\/json/)
  t.match(answer.headers.get('cache-control'), /max-age/)
  t.match(document.openapi, /^3\.1\./)
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  t.equal(document.info.version, version, "the document's version is the package's")
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path))
  const ids = operations.map(({ operationId }) => operationId)
  t.notOk(ids.includes(undefined), 'every operation has an id')
  t.equal(new Set(ids).size, ids.length, 'no two operations share an id')
  t.same(Object.keys(document.paths['/authz/reader'] ?? {}), ['get'])
})

await t.test('every object in the document has a name, so that generators invent none', async (t) => {
  const service = await startService(t)
  const { paths, components } = (await call(service, 'GET /openapi.json')).body as OpenApi
  t.same(
    Object.values(components.schemas).flatMap((schema) => objectsBelow(schema)),
    []
  )
  t.same(objectsBelow(paths), [])
})

await t.test('integers that outgrow 32 bits say so, for generators take the others for such', async (t) => {
  const document = (await call(await startService(t), 'GET /openapi.json')).body as OpenApi
  t.same(largeIntegersIn(document), [])
  const { Introspection, AuditEvent } = document.components.schemas
  for (const property of ['exp', 'iat', 'auth_time']) t.match(Introspection?.properties[property], { format: 'int64' })
  t.match(AuditEvent?.properties.id, { format: 'int64' })
})

for (const settings of [{}, { COOKIE_PREFIX: 'on', PASSWORD_MIN_LENGTH: '15' }]) {
  await t.test(`OpenAPI 3.0 says what 3.1 says, with the settings ${JSON.stringify(settings)}`, async (t) => {
    const service = await startService(t, settings)
    const answer = await call(service, 'GET /openapi-3.0.json')
    t.equal(answer.status, 200)
    t.match(answer.headers.get('content-type'), /^application\/json/)
    t.match(answer.headers.get('cache-control'), /max-age/)
    t.equal((answer.body as OpenApi).openapi, '3.0.3')
    t.strictSame(answer.body, toOpenapi30((await call(service, 'GET /openapi.json')).body as object))
  })
}

await t.test('the page may load and call nothing but this service', async (t) => {
  const service = await startService(t)
  const page = await call(service, 'GET /docs')
  t.equal(page.status, 200)
  t.match(page.headers.get('content-type'), /^text\/html/)
  t.match(page.text, '<title>Gatehouse API</title>')
  t.match(page.text, '<meta name="viewport" content="width=device-width, initial-scale=1">', 'it fits a phone')
  const policy = new Map(
    page.headers
      .get('content-security-policy')
      ?.split(';')
      .map((directive) => directive.trim().split(/ (.*)/s) as [string, string])
  )
  t.equal(policy.get('default-src'), "'none'")
  t.equal(policy.get('script-src'), "'self'")
  t.equal(policy.get('connect-src'), "'self'")
  t.equal(policy.get('frame-ancestors'), "'none'")
  t.notMatch(page.text, /(?:src|href)="(?:https?:)?\/\//, 'nothing comes from another host')
})

await t.test('DOCS=off removes the document and the page', async (t) => {
  const service = await startService(t, { DOCS: 'off' })
  const paths = ['/openapi.json', '/openapi-3.0.json', '/docs', '/docs/', '/docs/docs.js', '/docs/scalar.js'] as const
  for (const path of paths) {
    t.equal((await call(service, `GET ${path}`)).status, 404, path)
  }
})

if (browserPath === undefined) {
  await t.test('no browser is installed here: the page was not opened', async (t) => {
    t.comment('Install Chromium, or name one in CHROME_PATH, to run the test that registers and logs in on /docs.')
    const service = await startService(t)
    const page = await call(service, 'GET /docs')
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => `/${file}` as const)
    t.ok(files.includes('/docs/scalar.js'))
    for (const file of files) t.equal((await call(service, `GET ${file}`)).status, 200, `${file} is there`)
  })
} else {
  await t.test('a newcomer registers, logs in and tries the guards on the page, in a browser', async (t) => {
    const service = await startService(t)
    const browser = await openBrowser(t)
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('pageerror', ({ message }) => complaints.push(message))
    page.on('console', (message) => {
      // Chromium also reports each 4xx answer; those are looked at below.
      const answered = message.text().startsWith('Failed to load resource: the server responded with a status of 4')
      if (['error', 'warning'].includes(message.type()) && !answered) complaints.push(message.text())
    })
    const elsewhere: string[] = []
    page.on('request', (request) => {
      const url = request.url()
      if (!url.startsWith(`${service.url}/`) && !url.startsWith('data:')) elsewhere.push(url)
    })

    const tryOut = (operation: string) => tryOutOn(page, service.url, operation)
    t.same(await tryOut('authentication/GET/auth/me'), '401 Unauthorized', 'a stranger is told so')
    t.same(await tryOut('authentication/POST/auth/registration'), '201 Created')
    t.same(await tryOut('authentication/POST/auth/login'), '200 OK')
    const cookie = (await page.context().cookies()).find(({ name }) => name === 'access_token')
    t.match(cookie, { secure: true, httpOnly: true, sameSite: 'Lax' }, 'the browser keeps a Secure cookie on loopback')
    t.equal(await page.evaluate('document.cookie'), '', 'scripts do not see the cookie')
    t.same(await tryOut('access/GET/authz/reader'), '204 No Content')
    t.same(await tryOut('access/GET/authz/author'), '403 Forbidden')
    t.same(await tryOut('authentication/POST/auth/logout'), '200 OK')
    const left = (await page.context().cookies()).map(({ name }) => name)
    t.same(left, ['device_token'], 'the session’s cookies are gone')
    t.same(complaints, [], 'the console is quiet: nothing was blocked')
    t.same(elsewhere, [], 'the page asked nobody else')
  })
}

/** The integers of a schema that may be larger than the 32 bits that generators take them for, by where they are. */
function largeIntegersIn(schema: object, path = ''): string[] {
  return Object.entries(schema).flatMap(([name, part]: [string, unknown]) => {
    if (typeof part !== 'object' || part === null) return []
    const { type, format, maximum = Infinity } = part as { type?: string | string[]; format?: string; maximum?: number }
    const isLarge = [type].flat().includes('integer') && format !== 'int64' && maximum >= 2 ** 31
    return [...(isLarge ? [`${path}/${name}`] : []), ...largeIntegersIn(part, `${path}/${name}`)]
  })
}

/** The schemas of objects inside of another. */
function objectsBelow(schema: object): object[] {
  return Object.values(schema).flatMap((part: unknown) => {
    if (typeof part !== 'object' || part === null) return []
    return 'properties' in part && 'type' in part && part.type === 'object' ? [part] : objectsBelow(part)
  })
}

/** Opens an operation and sends the request that the page proposes. @returns the status that the page shows */
async function tryOutOn(page: Page, url: string, operation: string): Promise<string> {
  await page.goto('about:blank')
  await page.goto(`${url}/docs#tag/${operation}`)
  const section = page.locator(`section[id$="/tag/${operation}"]`)
  await section.getByRole('button', { name: /^Test Request/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: /Send (get|post) request to/ }).click()
  return dialog.getByText(/^[1-5]\d\d [A-Z][A-Za-z ]+$/).innerText()
}
