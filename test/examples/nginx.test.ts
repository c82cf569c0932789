import { readFileSync } from 'node:fs'
import t from 'tap'
import { findProgram } from '../support/programs.ts'
import { startProxy } from '../support/example.ts'
import { checkGuardedApplication } from '../support/guarded-application.ts'

const file = new URL('../../examples/nginx/nginx.conf', import.meta.url)
const nginx = findProgram('nginx')

await t.test('the nginx example, as it reads, leads nobody past Gatehouse', (t) => {
  const example = readFileSync(file, 'utf8')
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
  t.match(example, 'if ($is_refused)')
  t.end()
})

const howTo =
  'nginx is not here, so its example was read and not run: put nginx ("apt-get install nginx-light") on the PATH'
await t.test('the nginx example', { skip: nginx === undefined && howTo }, (t) =>
  checkGuardedApplication(t, (t, port, { gatehouse, application }) =>
    startProxy(t, nginx ?? '', (folder, file) => ['-p', folder, '-e', 'stderr', '-c', file], [file], port, [
      ['listen 127.0.0.1:8080;', `listen 127.0.0.1:${String(port)};`],
      ['server 127.0.0.1:3000;', `server ${gatehouse};`],
      ['server 127.0.0.1:8000;', `server ${application};`]
    ])
  )
)
