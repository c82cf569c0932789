import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { call, registerPerson } from '../support/client.ts'
import { type Service, startService } from '../support/service.ts'

const leaked = 'a phrase that has leaked'
const padded = 'a phrase that only pads'

const digestOf = (password: string) => createHash('sha1').update(password).digest('hex').toUpperCase()

/** A range service of Have I Been Pwned's kind, and what it was asked. */
async function startRangeService(
  t: Test,
  answer: (range: string, response: ServerResponse) => unknown = (range, response) => response.end(range)
) {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    const prefix = request.url?.split('/').at(-1) ?? ''
    const lines = [
      [digestOf('another'), 3],
      [digestOf(leaked), 12],
      [digestOf(padded), 0]
    ] as const
    const range = lines
      .filter(([digest], n) => n === 0 || digest.startsWith(prefix))
      .map(([digest, count]) => `${digest.slice(5)}:${String(count)}`)
    answer(range.join('\r\n'), response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/range/`, asked }
}

let people = 0

const register = (service: Service, password: string) => {
  people += 1
  const username = `person-${String(people)}`
  return call(service, 'POST /auth/registration', { json: { username, email: `${username}@example.com`, password } })
}

await t.test('a password that has leaked is refused, and nobody learns which it was', async (t) => {
  const { url, asked } = await startRangeService(t)
  const service = await startService(t, { PWNED_PASSWORDS_URL: url })
  const refused = await register(service, leaked)
  t.match(refused, { status: 400, body: { code: 'validation_failed' } })
  t.match(refused.body, {
    errors: [{ path: '/body/password', message: 'is known from a data breach: choose one that is harder to guess' }]
  })
  t.equal((await register(service, 'a phrase that nobody knows')).status, 201)
  t.equal((await register(service, padded)).status, 201, 'what pads an answer has leaked zero times')

  t.same(
    asked.map(({ url: path }) => path),
    [leaked, 'a phrase that nobody knows', padded].map((password) => `/range/${digestOf(password).slice(0, 5)}`),
    'five digits are all that is told'
  )
  for (const { headers } of asked) t.match(headers, { 'add-padding': 'true', 'user-agent': 'gatehouse' })
  await register(service, 'password1')
  t.equal(asked.length, 3, 'what is refused here is not asked about')

  const person = await registerPerson(service)
  const changed = await call(service, 'POST /auth/password', {
    bearer: person.token,
    json: { current_password: person.password, new_password: leaked }
  })
  t.match(changed, { status: 400, body: { errors: [{ path: '/body/new_password' }] } }, 'nor when it is changed')
})

const faults: [title: string, answer: (range: string, response: ServerResponse) => unknown][] = [
  ['does not answer', () => undefined],
  ['stops in the middle', (range, response) => response.write(range)],
  ['answers an error', (range, response) => response.writeHead(503).end(range)],
  ['hangs up', (_range, response) => response.destroy()],
  ['sends the caller elsewhere', (_range, response) => response.writeHead(302, { location: '/' }).end()],
  [
    'never stops',
    (_range, response) => {
      flood(response)
    }
  ]
]

await t.test('a range service that fails keeps nobody out for more than a second, and the log says so', async (t) => {
  let answer = (range: string, response: ServerResponse): unknown => response.end(range)
  const { url, asked } = await startRangeService(t, (range, response) => answer(range, response))
  const service = await startService(t, { PWNED_PASSWORDS_URL: url })
  t.equal((await register(service, leaked)).status, 400)
  t.equal((await register(service, 'a phrase that nobody knows')).status, 201)
  for (const [title, failing] of faults) {
    await t.test(title, async (t) => {
      answer = failing
      asked.length = 0
      service.log.length = 0
      const start = performance.now()
      t.equal((await register(service, leaked)).status, 201)
      const ms = performance.now() - start
      t.ok(ms < 4000, `after ${String(Math.round(ms))} ms, hashing included`)
      t.equal(asked.length, 1)
      t.equal(service.log.filter((line) => line.includes('PWNED_PASSWORDS_URL failed')).length, 1)
      for (const secret of [leaked, digestOf(leaked), digestOf(leaked).toLowerCase()]) {
        t.notOk(service.log.join('').includes(secret))
      }
    })
  }
})

await t.test('without a range service nobody is asked', async (t) => {
  const service = await startService(t)
  t.equal((await register(service, leaked)).status, 201)
})

/** Sends lines for as long as anybody reads them. */
function flood(response: ServerResponse): void {
  const line = `${'0'.repeat(35)}:1\r\n`.repeat(1000)
  const more = () => {
    while (response.write(line));
  }
  response.on('drain', more)
  more()
}
