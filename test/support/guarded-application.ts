import type { IncomingHttpHeaders } from 'node:http'
import type { Test } from 'tap'
import { call, cookiesOf, registerPerson } from './client.ts'
import { type Reached, startApplication } from './example.ts'
import { ambiguousPaths, authorPaths, cleanPaths, isForAuthorsOrAmbiguous } from './example-paths.ts'
import { startMailServer } from './mail-server.ts'
import { freePort } from './postgres-server.ts'
import { exchange } from './raw.ts'
import { startService } from './service.ts'

const forged = {
  'X-Auth-Request-User': '1',
  'X-Auth-Request-Preferred-Username': 'root',
  'X-Auth-Request-Groups': 'admin',
  // Applications that know headers as environment variables cannot tell these apart from the above.
  X_Auth_Request_Groups: 'admin',
  'X-Auth_Request-User': '1',
  'X.Auth.Request.User': '1'
}

interface Differences {
  /** Dot segments and the like are resolved before anything else, so that the application sees what was decided about. */
  resolvesPaths?: boolean
  /** The application gets no cookie, not even its own. */
  dropsCookies?: boolean
}

/** What every example must do, whatever the proxy. */
export async function checkGuardedApplication(
  t: Test,
  start: (t: Test, port: number, upstreams: { gatehouse: string; application: string }) => Promise<void>,
  { resolvesPaths = false, dropsCookies = false }: Differences = {}
): Promise<void> {
  const application = await startApplication(t)
  const mail = await startMailServer(t)
  const port = await freePort()
  const proxy = { url: `http://127.0.0.1:${String(port)}` }
  const service = await startService(t, { ...mail.env, PUBLIC_URL: proxy.url })
  await start(t, port, { gatehouse: new URL(service.url).host, application: new URL(application.url).host })
  const person = await registerPerson(service)
  const bearer = person.token
  const login = await call(proxy, 'POST /auth/login', {
    json: { username: person.username, password: person.password }
  })
  const cookie = cookiesOf(login)
  const unheard = (what: string) => {
    t.same(application.seen, [], `the application heard nothing of ${what}`)
    application.seen.length = 0
  }

  await t.test('a stranger is told to log in', async (t) => {
    const answer = await call(proxy, 'GET /', { headers: forged })
    t.equal(answer.status, 401)
    t.equal(answer.headers.get('www-authenticate'), 'Bearer')
    t.equal((await call(proxy, 'GET /', { bearer: 'forged' })).status, 401)
    unheard('a stranger')
  })

  await t.test('no method and no version of HTTP is a way past', async (t) => {
    for (const method of ['HEAD', 'POST', 'PUT', 'OPTIONS', 'TRACE', 'PROPFIND', 'FOO', 'get']) {
      for (const path of ['/articles', '/write/x']) {
        const answer = await exchange(proxy, `${method} ${path} HTTP/1.1`, 'Host: x', 'Connection: close', '', '')
        t.notMatch(answer, /^HTTP\/1\.1 [123]/, `${method} ${path}`)
      }
    }
    for (const lines of [
      ['GET /articles HTTP/1.0', '', ''],
      ['GET /articles', '']
    ]) {
      t.notMatch(await exchange(proxy, ...lines), /^HTTP\/1\.\d [123]/, lines.join())
    }
    unheard('any of them')
  })

  await t.test('a reader passes, and the application knows who it is, whatever the client says', async (t) => {
    const answer = await call(proxy, 'GET /articles?page=2', { bearer, headers: forged })
    t.equal(answer.status, 200)
    const { path, headers } = answer.body as Reached
    t.equal(path, '/articles?page=2')
    const identity = {
      'x-auth-request-user': String(person.id),
      'x-auth-request-preferred-username': person.username,
      'x-auth-request-groups': 'reader'
    }
    t.same(identityOf(headers), identity)
    const hidden = 'Connection: close, X-Auth-Request-User, X-Auth-Request-Groups'
    const raw = await exchange(proxy, 'GET / HTTP/1.1', 'Host: x', `Authorization: Bearer ${bearer}`, hidden, '', '')
    t.ok(raw.includes(`"x-auth-request-user":"${String(person.id)}"`), 'nor does Connection take it away')
  })

  await t.test('an identity that a client brings is taken away where nobody is asked', async (t) => {
    const answer = await call(proxy, 'GET /public/', { headers: forged })
    t.equal(answer.status, 200)
    t.same(identityOf((answer.body as Reached).headers), {})
    t.equal((await call(proxy, 'GET /PUBLIC/')).status, 401, 'and another path is not public')
  })

  await t.test('a path in a header does not reach the application', async (t) => {
    const headers = {
      'X-Original-URL': '/write/x',
      'X-Rewrite-URL': '/write/x',
      'X-Forwarded-Prefix': '/write',
      'X-Forwarded-Host': 'evil.example',
      Forwarded: 'host=evil.example'
    }
    const answer = await call(proxy, 'GET /public/', { headers })
    t.notMatch(answer.text, /write|evil/)
  })

  await t.test("a reader is refused at an author's path, however it is written", async (t) => {
    application.seen.length = 0
    for (const path of authorPaths) {
      const answer = await call(proxy, `GET ${path as '/'}`, { bearer, headers: forged })
      t.equal(answer.status, 403, path)
    }
    unheard('any of them')
  })

  await t.test('paths that the application could read differently are refused', async (t) => {
    for (const path of ambiguousPaths) {
      const methods = path === '/write/../public/x' ? ['GET', 'POST', 'HEAD'] : ['GET']
      for (const method of methods) {
        const credentials = `Authorization: Bearer ${bearer}`
        const lines = [`${method} ${path} HTTP/1.1`, 'Host: x', credentials, 'Connection: close', '', '']
        const answer = await exchange(proxy, ...lines)
        t.match(answer, resolvesPaths ? /^HTTP\/1\.1 (?:200|40[03]) / : /^HTTP\/1\.1 400 /, `${method} ${path}`)
      }
    }
    const heard = application.seen.splice(0)
    t.same(resolvesPaths ? heard.filter(isForAuthorsOrAmbiguous) : heard, [], 'the application heard nothing of them')
  })

  await t.test('paths that only look odd pass as they are', async (t) => {
    for (const path of cleanPaths) {
      const credentials = `Authorization: Bearer ${bearer}`
      const answer = await exchange(proxy, `GET ${path} HTTP/1.1`, 'Host: x', credentials, 'Connection: close', '', '')
      t.match(answer, /^HTTP\/1\.1 200 /, path)
      // A brace is no character of a URL: a proxy may encode it on the way. And Go takes ";" in a query for "&".
      const seen = application.seen.pop()?.replaceAll('%7B', '{').replaceAll('%7D', '}')
      t.equal(seen, resolvesPaths ? path.replace(';', '&') : path)
    }
  })

  await t.test('the application gets no credentials, and its own cookies', async (t) => {
    const headersFor = async (cookie: string) =>
      ((await call(proxy, 'GET /articles', { cookie })).body as Reached).headers
    const token = `access_token=${bearer}`
    if (dropsCookies) t.equal((await headersFor(`theme=dark; ${token}`)).cookie, undefined)
    else {
      t.match((await headersFor(`theme=dark; ${token}; lang=en`)).cookie, /^theme=dark; ?lang=en$/)
      t.equal((await headersFor(`${token}; lang=en`)).cookie, 'lang=en')
      t.equal((await headersFor(`my_access_token=a; ${token}`)).cookie?.replace(/; ?$/, ''), 'my_access_token=a')
    }
    for (const name of ['access', '__Host-access', 'refresh', '__Secure-refresh', 'device', '__Secure-device']) {
      t.notMatch((await headersFor(`${token};${name}_token=b; a=b`)).cookie ?? '', '_token', name)
      t.notMatch((await headersFor(`a=b; ${token}; ${name}_token=b`)).cookie ?? '', '_token', name)
    }
    const { headers } = (await call(proxy, 'GET /articles', { bearer })).body as Reached
    t.notOk(headers.authorization)
    t.notOk(((await call(proxy, 'GET /public/', { bearer })).body as Reached).headers.authorization)
  })

  await t.test('a session by cookie changes something from its own pages, and from no other site', async (t) => {
    t.equal(login.status, 200)
    const own = { 'sec-fetch-site': 'same-origin' }
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' }
    const send = (method: string, headers: Record<string, string>) =>
      call(proxy, `${method} /articles` as 'POST /', { cookie, headers, json: {} })
    t.equal((await call(proxy, 'GET /articles', { cookie, headers: foreign })).status, 200, 'a link leads here')
    for (const method of ['POST', 'PUT', 'DELETE']) {
      t.equal((await send(method, own)).status, 200, method)
      t.equal((await send(method, foreign)).status, 403, method)
      t.equal((await send(method, { ...foreign, 'X-Forwarded-Method': 'GET' })).status, 403, `${method}, called GET`)
    }
  })

  await t.test('WebSockets open for those who may enter, from no other site, and no other protocol does', async (t) => {
    application.seen.length = 0
    const knock = (...headers: string[]) =>
      exchange(proxy, 'GET /live HTTP/1.1', 'Host: x', 'Sec-WebSocket-Version: 13', ...headers, '', '')
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']
    const close = 'Connection: close'
    t.match(await knock(...upgrade.slice(1), close), /^HTTP\/1\.1 401 /)
    const foreign = ['Origin: https://elsewhere.example', 'Sec-Fetch-Site: cross-site']
    t.match(await knock(`Cookie: ${cookie}`, ...foreign, ...upgrade.slice(1), close), /^HTTP\/1\.1 403 /)
    unheard('these')
    const own = [`Cookie: ${cookie}`, 'Sec-Fetch-Site: same-origin', 'Connection: X-Auth-Request-User', ...upgrade]
    t.match(await knock(...own), new RegExp(`^HTTP/1\\.1 101 .*hello ${String(person.id)}$`, 's'))
    for (const other of ['h2c', 'else']) {
      const lines = ['Connection: Upgrade, HTTP2-Settings, close', `Upgrade: ${other}`, 'HTTP2-Settings: AAAA']
      const answer = await exchange(proxy, 'GET /public/ HTTP/1.1', 'Host: x', ...lines, '', '')
      t.match(answer, /^HTTP\/1\.1 (?:200|400) /)
      t.notMatch(answer, other)
    }
  })

  await t.test("Gatehouse's own paths lead to Gatehouse", async (t) => {
    application.seen.length = 0
    const pages = [
      '/reset-password',
      '/verify-email',
      '/undo-email-change',
      '/unlock',
      '/pages/account.js',
      '/docs',
      '/openapi.json',
      '/openapi-3.0.json'
    ]
    const keys = ['/.well-known/jwks.json', '/.well-known/oauth-authorization-server']
    for (const path of [...pages, ...keys]) t.equal((await call(proxy, `GET ${path as '/'}`)).status, 200, path)
    t.match((await call(proxy, 'POST /oauth/token')).body, { error: 'invalid_client' })
    unheard('these')
    t.match((await call(proxy, 'GET /auth/me', { bearer })).body, { id: person.id }, 'which gets the credentials')
    t.match((await call(proxy, 'GET /auth/me', { cookie })).body, { id: person.id })
    for (const path of ['/authz', '/authz/reader', '/health/live', '/admin/users', '/_gatehouse/reader']) {
      const { status } = await call(proxy, `GET ${path as '/'}`)
      t.ok([401, 404].includes(status), `${path} is not among them`)
      t.not((await call(proxy, `GET ${path as '/'}`, { bearer })).status, 204, 'nor for those who may enter')
    }
  })

  await t.test('the link of a mail leads through the proxy, and its page works there', async (t) => {
    application.seen.length = 0
    const { text = '' } = await mail.mailTo(t, person.email)
    const link = new URL(/^http\S+$/m.exec(text)?.[0] ?? '')
    t.equal(link.origin, proxy.url)
    const page = await call(proxy, `GET ${link.pathname as '/'}`)
    t.match(page, { status: 200, text: /<html/ })
    for (const [, asset = ''] of page.text.matchAll(/(?:src|href)="(\/[^"]*)"/g)) {
      t.equal((await call(proxy, `GET ${asset as '/'}`)).status, 200, asset)
    }
    const headers = { origin: proxy.url, 'sec-fetch-site': 'same-origin' }
    const token = new URLSearchParams(link.hash.slice(1)).get('token')
    t.equal((await call(proxy, 'POST /auth/email/verify', { json: { token }, headers })).status, 204)
    t.match((await call(proxy, 'GET /auth/me', { bearer })).body, { email_verified: true })
    unheard('all this')
  })

  await t.test('nobody passes while Gatehouse is away', async (t) => {
    application.seen.length = 0
    await service.close()
    const { status } = await call(proxy, 'GET /articles', { bearer })
    t.ok(status === 500 || status === 502, String(status))
    unheard('it')
  })
}

const identityOf = (headers: IncomingHttpHeaders): object =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => /^x.auth.request/.test(name)))
