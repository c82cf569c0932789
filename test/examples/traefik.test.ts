import { readFileSync } from 'node:fs'
import t from 'tap'
import { call, registerPerson } from '../support/client.ts'
import { startService } from '../support/service.ts'

const example = readFileSync(new URL('../../examples/traefik/gatehouse.yaml', import.meta.url), 'utf8')

await t.test('the Traefik example asks for what Gatehouse answers', async (t) => {
  const service = await startService(t)
  const { token } = await registerPerson(service)
  const answer = await call(service, 'GET /authz/reader', { bearer: token })
  const identity = [...answer.headers.keys()].filter((name) => name.startsWith('x-auth-request-')).sort()

  const [, passedOn = ''] = /authResponseHeaders: &identity \[(.*)\]/.exec(example) ?? []
  t.same(passedOn.toLowerCase().split(', ').sort(), identity, 'every identity header is set from the answer')
  const takenAway = [...example.matchAll(/^ +(X-Auth-Request-[\w-]+): ''$/gm)].map(([, name = '']) => name)
  t.same(takenAway.map((name) => name.toLowerCase()).sort(), identity, 'and taken away where nobody asks')

  const asked = [...example.matchAll(/address: http:\/\/127\.0\.0\.1:3000(\/\S+)/g)].map(([, path = '']) => path)
  t.same(asked, ['/authz/reader', '/authz/author'])
  for (const path of asked) {
    t.equal((await call(service, `POST ${path as '/'}`, { raw: 'anything' })).status, 401, `${path} knows a stranger`)
  }

  const routers = /^ {2}routers:\n(.*?)^ {2}\w/ms.exec(example)?.[1]?.split(/^ {4}(?=\w)/m) ?? []
  for (const router of routers.filter((text) => text.includes('service: application'))) {
    t.match(router, /middlewares: \[(reader|author|anonymous)\]/, 'no way to the application leaves the headers alone')
  }
})
