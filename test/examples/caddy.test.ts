import { readFileSync } from 'node:fs'
import t from 'tap'
import { findProgram } from '../support/programs.ts'
import { startProxy } from '../support/example.ts'
import { checkGuardedApplication } from '../support/guarded-application.ts'

const file = new URL('../../examples/caddy/Caddyfile', import.meta.url)
const caddy = findProgram('caddy')

await t.test('the Caddy example, as it reads, leads nobody past Gatehouse', (t) => {
  const example = readFileSync(file, 'utf8')
  const [snippets = '', site = ''] = example.split(/^http:\/\/:8080 /m)
  t.equal(snippets.split('reverse_proxy').length, 2, 'one place leads to the application')
  t.match(snippets, /header_up -Authorization\n.*header_up Cookie/s, 'without credentials')
  t.match(snippets, /copy_headers X-Auth-Request-User X-Auth-Request-Preferred-Username X-Auth-Request-Groups$/m)
  const handlers = [...site.matchAll(/handle (@\w+ )?\{\s*(.*?)\s*\}/gs)].map(([, who = '', what = '']) => [who, what])
  t.same(handlers, [
    ['@gatehouse ', 'reverse_proxy 127.0.0.1:3000'],
    ['@public ', 'import application'],
    ['@authors ', 'import guarded author'],
    ['', 'import guarded reader']
  ])
  const order = ['respond @ambiguous 400', 'request_header -X-Auth-Request-*', 'handle '].map((line) =>
    site.indexOf(line)
  )
  t.ok(
    order.every((at, index) => at > (order[index - 1] ?? 0)),
    'refused and taken away before anything is passed on'
  )
  t.end()
})

const howTo =
  'Caddy is not here or too old, so its example was read and not run: put caddy 2.8 or later ("go install github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9") on the PATH, or into CADDY_PATH'
await t.test('the Caddy example', { skip: caddy === undefined && howTo }, (t) =>
  checkGuardedApplication(t, (t, port, { gatehouse, application }) =>
    startProxy(t, caddy ?? '', (_folder, file) => ['run', '--config', file, '--adapter', 'caddyfile'], [file], port, [
      ['http://:8080', `http://:${String(port)}`],
      ['127.0.0.1:3000', gatehouse],
      ['127.0.0.1:8000', application]
    ])
  )
)
