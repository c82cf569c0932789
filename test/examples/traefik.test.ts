import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { findProgram } from '../support/programs.ts'
import { call, registerPerson } from '../support/client.ts'
import { startProxy } from '../support/example.ts'
import { checkGuardedApplication } from '../support/guarded-application.ts'
import { startService } from '../support/service.ts'

/** What the test reads of gatehouse.yaml. */
interface Example {
  http: {
    routers: Record<string, { rule: string; middlewares?: string[]; service: string; priority: number }>
    middlewares: Record<
      string,
      { forwardAuth?: ForwardAuth; headers?: { customRequestHeaders: Record<string, string> } }
    >
    services: Record<string, unknown>
  }
}

interface ForwardAuth {
  address: string
  authResponseHeaders: string[]
  preserveRequestMethod: boolean
  trustForwardHeader: boolean
}

const folder = new URL('../../examples/traefik/', import.meta.url)
const files: [URL, URL] = [new URL('traefik.yaml', folder), new URL('gatehouse.yaml', folder)]
const [first, second] = files.map((file) => parse(readFileSync(file, 'utf8')) as unknown)

await t.test('the Traefik example asks for what Gatehouse answers', async (t) => {
  const { routers, middlewares, services } = (second as Example).http
  const service = await startService(t)
  const { token } = await registerPerson(service)
  const answer = await call(service, 'GET /authz/reader', { bearer: token })
  const identity = [...answer.headers.keys()].filter((name) => name.startsWith('x-auth-request-')).sort()
  const asking = Object.values(middlewares).flatMap(({ forwardAuth }) => forwardAuth ?? [])
  t.same(
    asking.map(({ address }) => new URL(address).pathname),
    ['/authz/reader', '/authz/author']
  )
  for (const { address, authResponseHeaders, ...options } of asking) {
    const { pathname } = new URL(address)
    t.equal((await call(service, `POST ${pathname as '/'}`, { raw: 'anything' })).status, 401, `${pathname} is there`)
    t.same(authResponseHeaders.map((name) => name.toLowerCase()).sort(), identity, 'every identity header is set')
    t.match(options, { preserveRequestMethod: true, trustForwardHeader: false })
  }
  const takenAway = middlewares.anonymous?.headers?.customRequestHeaders ?? {}
  for (const name of asking[0]?.authResponseHeaders ?? []) t.equal(takenAway[name], '', `${name} is taken away before`)

  for (const [name, router] of Object.entries(routers)) {
    t.ok(router.service === 'noop@internal' || router.service in services, `the service of ${name} is there`)
    for (const middleware of router.middlewares ?? [])
      t.ok(middleware in middlewares, `${middleware} of ${name} is there`)
  }
})

await t.test('the Traefik example has no way to the application that leaves identity or credentials alone', (t) => {
  const { routers } = (second as Example).http
  const leading = Object.entries(routers).filter(([, { service }]) => service === 'application')
  t.same(Object.fromEntries(leading.map(([name, { middlewares }]) => [name, middlewares])), {
    authors: ['anonymous', 'author', 'uncredentialed'],
    public: ['anonymous', 'uncredentialed'],
    readers: ['anonymous', 'reader', 'uncredentialed']
  })
  const order = Object.entries(routers).sort(([, one], [, other]) => other.priority - one.priority)
  t.same([order[0]?.[0], order.at(-1)?.[0]], ['refused', 'readers'], 'what is refused comes first, what is left last')
  t.match(first, {
    entryPoints: {
      websecure: {
        http: {
          sanitizePath: true,
          encodedCharacters: {
            allowEncodedSlash: false,
            allowEncodedBackSlash: false,
            allowEncodedNullCharacter: false,
            allowEncodedSemicolon: false
          },
          aliasHeadersStrategy: 'delete'
        }
      }
    }
  })
  t.end()
})

const traefik = findProgram('traefik')
const howTo =
  'Traefik is not here or too old, so its example was read and not run: put a release of 3.7.12 or later on the PATH, or into TRAEFIK_PATH'
await t.test('the Traefik example', { skip: traefik === undefined && howTo }, (t) =>
  checkGuardedApplication(
    t,
    (t, port, { gatehouse, application }) =>
      startProxy(t, traefik ?? '', (_folder, file) => [`--configFile=${file}`], files, port, [
        ["address: ':443'", `address: '127.0.0.1:${String(port)}'`],
        ['      tls: {}\n', ''],
        // The test has no name of its own, and no certificate for one.
        ['Host(`www.example.com`)', 'HostRegexp(`^.*$`)'],
        ['127.0.0.1:3000', gatehouse],
        ['127.0.0.1:8000', application]
      ]),
    { resolvesPaths: true, dropsCookies: true }
  )
)
