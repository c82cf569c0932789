import { load, median, spread } from './support/load.ts'
import { makeKeys, processorTime, startBuilt, startDatabase, startPeer } from './support/service.ts'
import { gatehouse } from './support/command.ts'

// Goal 7: tokens by client credentials, and introspection, beside oidc-provider in memory and a bare Fastify route.
const rounds = Number(process.argv[2] ?? 5)
const seconds = Number(process.argv[3] ?? 10)

const database = await startDatabase()
const env = { DATABASE_URL: database.url, KEYS_DIR: await makeKeys() }
const service = await startBuilt(env)
const peer = await startPeer('bench/support/oidc-provider.ts')
const bare = await startPeer('bench/support/bare.ts')

const made = gatehouse(env, 'clients', 'create', '--name', 'bench', '--role', 'reader', '--json') as {
  id: string
  client_secret: string
}
const ours = formsOf(made.id, made.client_secret)
const theirs = formsOf('bench', 'bench-secret')
const grant = 'grant_type=client_credentials&scope=reader'
const forResource = `${grant}&resource=urn:gatehouse:api`

const cases = {
  'bare Fastify': { url: bare.url, pid: bare.process.pid!, requests: [{ path: '/' }] },
  'our tokens': { url: service.url, pid: service.process.pid!, requests: [ours('/oauth/token', grant)] },
  'their JWT tokens': { url: peer.url, pid: peer.process.pid!, requests: [theirs('/token', forResource)] },
  'our introspection': {
    url: service.url,
    pid: service.process.pid!,
    requests: (await tokens(service.url, ours('/oauth/token', grant), 500)).map((token) =>
      ours('/oauth/introspect', `token=${token}`)
    )
  },
  // Its adapter keeps a thousand things: fewer tokens, so that all of them are there.
  'their introspection': {
    url: peer.url,
    pid: peer.process.pid!,
    requests: (await tokens(peer.url, theirs('/token', grant), 200)).map((token) =>
      theirs('/token/introspection', `token=${token}`)
    )
  }
}

const figures = new Map(Object.keys(cases).map((name) => [name, { perSecond: [] as number[], micros: [] as number[] }]))
for (const target of Object.values(cases)) await load({ ...target, seconds: 3 })
for (let round = 1; round <= rounds; round++) {
  for (const [name, target] of Object.entries(cases)) {
    const before = processorTime(target.pid)
    const { perSecond, failed } = await load({ ...target, seconds })
    if (failed > 0) throw new Error(`${name}: ${String(failed)} requests failed`)
    const figure = figures.get(name)!
    figure.perSecond.push(perSecond)
    figure.micros.push(((processorTime(target.pid) - before) * 1e6) / (perSecond * seconds))
    console.error(`round ${String(round)}: ${name} ${perSecond.toFixed(0)}/s`)
  }
}
for (const [name, { perSecond, micros }] of figures) {
  console.log(`${name}: ${spread(perSecond)}/s; ${spread(micros, 1)} µs of CPU each`)
}
const times = (one: keyof typeof cases, other: keyof typeof cases) =>
  (median(figures.get(one)!.perSecond) / median(figures.get(other)!.perSecond)).toFixed(2)
console.log(`tokens: ${times('our tokens', 'their JWT tokens')} times theirs (goal 2.5)`)
console.log(`introspection: ${times('our introspection', 'their introspection')} times theirs (goal 4)`)
await Promise.all([service.stop(), peer.stop(), bare.stop()])
await database.stop()

/** Makes requests with a form, authenticated by HTTP Basic. */
function formsOf(id: string, secret: string) {
  const headers = {
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded'
  }
  return (path: string, body: string) => ({ method: 'POST', path, headers, body })
}

async function tokens(url: string, { path, ...request }: ReturnType<ReturnType<typeof formsOf>>, count: number) {
  const found: string[] = []
  for (let n = 0; n < count; n++) {
    const answer = await fetch(url + path, request)
    found.push(((await answer.json()) as { access_token: string }).access_token)
  }
  return found
}
