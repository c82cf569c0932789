import { connect } from 'node:net'
import t from 'tap'
import { call, registerPerson } from '../support/client.ts'
import { seeded } from '../support/forge.ts'
import { type Service, startService } from '../support/service.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'
const odd = '!"#$%&\'()*+,/:<=>?@[\\]^`{|}~ \t\u00e9\u00ff'

type Random = (below: number) => number
type Mutation = (token: string, random: Random) => string

const one = (text: string, random: Random) => text[random(text.length)] ?? ''
const replace = (token: string, at: number, by: string) => token.slice(0, at) + by + token.slice(at + 1)

/** What happens to tokens on bad lines and in bad hands. */
const mutations: Mutation[] = [
  (token, random) => replace(token, random(token.length), one(alphabet, random)),
  (token, random) => replace(token, random(token.length), one(odd, random)),
  (token, random) => token.slice(0, random(token.length)),
  (token, random) => token.slice(random(token.length)),
  (token, random) => token + one(alphabet + odd.trim(), random),
  (token, random) => {
    const [from, to] = [random(token.length), random(token.length)]
    return token.slice(0, from) + token.slice(to)
  },
  (token, random) => {
    const parts = token.split('.')
    return [0, 1, 2].map(() => parts[random(3)]).join('.')
  },
  (token, random) => inJson(token, random, (json) => replace(json, random(json.length), one('{}[]",:0nft\\', random))),
  (token, random) => inJson(token, random, (json) => json.slice(0, random(json.length))),
  (token, random) =>
    inJson(token, random, (json) =>
      json.replace(/"[^"]*"(?=[,}])|\d+(?=[,}])|true|false/g, (value) => (random(4) === 0 ? oddValue(random) : value))
    ),
  (token, random) => {
    const [header = '', payload = ''] = token.split('.')
    return `${header}.${payload}.${Array.from({ length: random(120) }, () => one(alphabet, random)).join('')}`
  },
  (_token, random) => Array.from({ length: 1 + random(200) }, () => one(alphabet + odd.trim(), random)).join('')
]

const oddValue = (random: Random) =>
  ['null', '-1', '1e999', '1e300', '[]', '{}', '"\\u0000"', '"\\ud800"', '"none"', '[[[[]]]]', '""'][random(11)] ?? ''

/** Changes the JSON of the header or the payload, and leaves the rest alone. */
function inJson(token: string, random: Random, change: (json: string) => string): string {
  const parts = token.split('.')
  const at = random(2)
  parts[at] = Buffer.from(change(Buffer.from(parts[at] ?? '', 'base64url').toString('latin1')), 'latin1').toString(
    'base64url'
  )
  return parts.join('.')
}

await t.test('of 10,000 tokens mangled in every way, each is refused with 401', async (t) => {
  const service = await startService(t, { LOG_LEVEL: 'error' })
  const { token } = await registerPerson(service)
  const random = seeded(20_251_123)
  const mangled: string[] = []
  while (mangled.length < 10_000) {
    const next = mutations[mangled.length % mutations.length]!(token, random)
    if (next.trim() !== token && next.trim() !== '') mangled.push(next)
  }

  const connections = 8
  const share = mangled.length / connections
  const statuses = await Promise.all(
    Array.from({ length: connections }, (_, n) => pipeline(service, mangled.slice(n * share, (n + 1) * share)))
  )
  const answers = statuses.flat()
  t.equal(answers.length, mangled.length, 'each is answered')
  t.strictSame(
    mangled.filter((_, n) => answers[n] !== 401).map((bad) => bad.slice(0, 200)),
    [],
    'each is refused'
  )
  t.strictSame(service.log, [], 'nothing failed inside')
  t.equal((await call(service, 'GET /authz', { bearer: token })).status, 204, 'the token itself is still good')
})

/** Asks for one token after the other over one connection, in turns as header and as cookie. @returns the statuses */
function pipeline(service: Pick<Service, 'url'>, tokens: string[]): Promise<number[]> {
  const { hostname, port } = new URL(service.url)
  const routes = ['/authz', '/auth/me', '/authz/reader', '/auth/sessions']
  const requests = tokens.map((token, n) => {
    const credential = n % 2 === 0 ? `Authorization: Bearer ${token}` : `Cookie: access_token=${token}`
    const last = n === tokens.length - 1 ? 'Connection: close\r\n' : ''
    return `GET ${routes[n % routes.length] ?? ''} HTTP/1.1\r\nHost: x\r\n${credential}\r\n${last}\r\n`
  })
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(Number(port), hostname, () => socket.write(requests.join(''), 'latin1'))
    socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk))
    socket.once('error', reject).once('close', () => {
      resolve([...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)))
    })
  })
}
