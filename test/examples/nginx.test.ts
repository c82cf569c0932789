import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { findProgram } from '../support/browser.ts'
import { call, cookiesOf, registerPerson } from '../support/client.ts'
import { freePort } from '../support/postgres-server.ts'
import { exchange } from '../support/raw.ts'
import { startService } from '../support/service.ts'

const example = readFileSync(new URL('../../examples/nginx/nginx.conf', import.meta.url), 'utf8')
const nginx = findProgram('nginx')

const forged = {
  'X-Auth-Request-User': '1',
  'X-Auth-Request-Preferred-Username': 'root',
  'X-Auth-Request-Groups': 'admin',
  // Applications that know headers as environment variables cannot tell these apart from the above.
  X_Auth_Request_Groups: 'admin'
}

if (nginx === undefined) {
  await t.test('nginx is not installed here: its example was read and not run', async (t) => {
    t.comment('Install nginx to run the test that puts it in front of an application.')
    for (const header of ['User', 'Preferred-Username', 'Groups']) {
      t.match(example, new RegExp(`^ {4}proxy_set_header X-Auth-Request-${header} \\$gatehouse_`, 'm'))
    }
    const locations = example.split(/^ {4}location /m).slice(1)
    const toApplication = locations.filter((location) => location.includes('proxy_pass http://application'))
    const open = toApplication.filter((location) => !location.includes('auth_request '))
    t.same(
      open.map((location) => location.split(' {')[0]),
      ['/public/'],
      'no other location of the application is open to everyone'
    )
    for (const location of toApplication)
      t.notMatch(location, 'proxy_set_header', 'and none of them loses the headers above')
    t.match(example, 'if ($is_ambiguous)')
  })
} else {
  await t.test('the nginx example', async (t) => {
    const application = await startApplication(t)
    const service = await startService(t)
    const proxy = await startNginx(t, nginx, { gatehouse: service.url, application: application.url })
    const person = await registerPerson(service)

    await t.test('tells a stranger to log in', async (t) => {
      const answer = await call(proxy, 'GET /', { headers: forged })
      t.equal(answer.status, 401)
      t.equal(answer.headers.get('www-authenticate'), 'Bearer')
      t.equal((await call(proxy, 'GET /', { bearer: 'forged' })).status, 401)
      t.same(application.seen, [], 'the application heard nothing of it')
    })

    await t.test('lets a reader through and says who it is, whatever the client says', async (t) => {
      const answer = await call(proxy, 'GET /articles?page=2', { bearer: person.token, headers: forged })
      t.equal(answer.status, 200)
      const { path, headers } = answer.body as { path: string; headers: IncomingHttpHeaders }
      t.equal(path, '/articles?page=2')
      t.same(identityOf(headers), {
        'x-auth-request-user': String(person.id),
        'x-auth-request-preferred-username': person.username,
        'x-auth-request-groups': 'reader'
      })
    })

    await t.test('takes away an identity that a client brings to where nobody is asked', async (t) => {
      const answer = await call(proxy, 'GET /public/', { headers: forged })
      t.equal(answer.status, 200)
      t.same(identityOf((answer.body as { headers: IncomingHttpHeaders }).headers), {})
    })

    await t.test("stops a reader at the author's door", async (t) => {
      application.seen.length = 0
      for (const path of ['/write', '/write/', '/Write/new', '/%77rite/'] as const) {
        t.equal((await call(proxy, `GET ${path}`, { bearer: person.token, headers: forged })).status, 403, path)
      }
      t.same(application.seen, [], 'the application heard nothing of it')
    })

    // Findings A1: nginx chose the location by the normalised path and passed the raw one on.
    await t.test('refuses paths that the application could read differently, of any method and caller', async (t) => {
      application.seen.length = 0
      const paths = [
        ...[
          '/write/../public/x',
          '/write/%2e%2e/public/x',
          '/write/.%2E/public/x',
          '/public/..%2fwrite/x',
          '/write/..'
        ],
        ...[
          '/public/%2e%2e%2fwrite',
          '/public/..%5cwrite',
          '/public\\..\\write',
          '/public/%252e%252e/write',
          '/./write/x'
        ],
        ...[
          '/write;a=b/x',
          '/write%3ba=b/x',
          '/public/..;/write/x',
          '//write/',
          '/public//x',
          '/write/x%00',
          '/write/.?a=b'
        ]
      ]
      for (const method of ['GET', 'POST']) {
        for (const path of paths) {
          const bearer = `Authorization: Bearer ${person.token}`
          const answer = await exchange(
            proxy,
            `${method} ${path} HTTP/1.1`,
            'Host: x',
            bearer,
            'Connection: close',
            '',
            ''
          )
          t.match(answer, /^HTTP\/1\.1 400 /, `${method} ${path}`)
        }
      }
      const absolute = await exchange(
        proxy,
        'GET http://x/write/../public/x HTTP/1.1',
        'Host: x',
        'Connection: close',
        '',
        ''
      )
      t.match(absolute, /^HTTP\/1\.1 400 /)
      t.same(application.seen, [], 'the application heard nothing of it')
    })

    await t.test('passes on what only looks odd', async (t) => {
      for (const path of [
        '/articles/a%20b',
        '/articles/..hidden',
        '/a.b/c..d',
        '/x?next=../write//;a&b=%2e%2f',
        '/%C3%A9'
      ] as const) {
        const answer = await call(proxy, `GET ${path}`, { bearer: person.token })
        t.equal(answer.status, 200, path)
        t.equal((answer.body as { path: string }).path, path)
      }
    })

    await t.test('keeps the credentials from the application, and other cookies not', async (t) => {
      const headersFor = async (cookie: string) => {
        const answer = await call(proxy, 'GET /articles', { cookie })
        return (answer.body as { headers: IncomingHttpHeaders }).headers
      }
      const token = `access_token=${person.token}`
      t.equal((await headersFor(`theme=dark; ${token}; lang=en`)).cookie, 'theme=dark; lang=en')
      t.equal((await headersFor(`${token}; lang=en`)).cookie, 'lang=en')
      t.notOk((await headersFor(token)).cookie?.includes('access_token'))
      t.notOk((await headersFor(`${token}; a=b; access_token=second`)).cookie?.includes('access_token'))
      const bearer = await call(proxy, 'GET /articles', { bearer: person.token })
      t.notOk((bearer.body as { headers: IncomingHttpHeaders }).headers.authorization)
    })

    await t.test("passes Gatehouse's own paths, so that mailed links and OAuth work", async (t) => {
      application.seen.length = 0
      for (const path of ['/reset-password', '/verify-email', '/pages/account.js', '/.well-known/jwks.json'] as const)
        t.equal((await call(proxy, `GET ${path}`)).status, 200, path)
      const body = { token: 'x', new_password: 'a long and quiet evening' }
      t.match((await call(proxy, 'POST /auth/password/reset', { json: body })).body, { code: 'validation_failed' })
      t.match((await call(proxy, 'POST /oauth/token')).body, { error: 'invalid_client' })
      t.same(application.seen, [], 'the application heard nothing of it')
    })

    await t.test('logs in on its own origin, by cookie, and refuses what another site starts with it', async (t) => {
      const login = await call(proxy, 'POST /auth/login', {
        json: { username: person.username, password: person.password }
      })
      t.equal(login.status, 200)
      const cookie = cookiesOf(login)
      const own = { 'sec-fetch-site': 'same-origin' }
      const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' }
      const post = (headers: Record<string, string>) => call(proxy, 'POST /articles', { cookie, headers, json: {} })
      t.equal((await call(proxy, 'GET /articles', { cookie })).status, 200)
      t.equal((await post(own)).status, 200)
      t.equal((await post(foreign)).status, 403)
    })

    await t.test('does not let clients ask at its own door to Gatehouse', async (t) => {
      t.equal((await call(proxy, 'GET /_gatehouse/reader', { bearer: person.token })).status, 404)
    })

    await t.test('lets nobody through while Gatehouse is away', async (t) => {
      application.seen.length = 0
      await service.close()
      t.equal((await call(proxy, 'GET /articles', { bearer: person.token })).status, 500)
      t.same(application.seen, [])
    })
  })
}

function identityOf(headers: IncomingHttpHeaders): object {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => /^x.auth.request/.test(name)))
}

/** Answers with the path and the headers that have reached it. */
async function startApplication(t: Test): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = []
  const server: Server = createServer((request, response) => {
    seen.push(request.url ?? '')
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ path: request.url, headers: request.headers }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${String((server.address() as { port: number }).port)}`, seen }
}

/** Runs the example as it is, but for its ports. */
async function startNginx(
  t: Test,
  program: string,
  upstreams: { gatehouse: string; application: string }
): Promise<{ url: string }> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-nginx-'))
  chmodSync(folder, 0o755)
  const replacements: [from: string, to: string][] = [
    ['listen 127.0.0.1:8080;', `listen 127.0.0.1:${String(port)};`],
    ['server 127.0.0.1:3000;', `server ${new URL(upstreams.gatehouse).host};`],
    ['server 127.0.0.1:8000;', `server ${new URL(upstreams.application).host};`]
  ]
  let conf = example
  for (const [from, to] of replacements) {
    if (conf.split(from).length !== 2) throw new Error(`The example must say "${from}" once`)
    conf = conf.replace(from, to)
  }
  writeFileSync(join(folder, 'nginx.conf'), conf)
  const child = spawn(program, ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const gone = new Promise((resolve) => child.once('exit', resolve))
  t.teardown(async () => {
    child.kill('SIGTERM')
    await gone
    rmSync(folder, { recursive: true, force: true })
  })
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`nginx did not start: ${log}`)
    await delay(20)
  }
  return { url: `http://127.0.0.1:${String(port)}` }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
      .once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      .once('error', () => {
        resolve(false)
      })
  })
}
