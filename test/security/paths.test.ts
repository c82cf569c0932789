import t from 'tap'
import { registerPerson } from '../support/client.ts'
import { exchange } from '../support/raw.ts'
import { startService } from '../support/service.ts'

await t.test('no spelling of a path leads around its guard', async (t) => {
  const service = await startService(t)
  const reader = await registerPerson(service, 'reader')
  const tricks = (area: string, rest: string) => [
    `//${area}/${rest}`,
    `/${area}//${rest}`,
    `/${area}/./${rest}`,
    `/./${area}/${rest}`,
    `/${area}/../${area}/${rest}`,
    `/health/../${area}/${rest}`,
    `/health/live/../../${area}/${rest}`,
    `/health/live/..;/..;/${area}/${rest}`,
    `/docs/static/../../${area}/${rest}`,
    `/.well-known/%2e%2e/${area}/${rest}`,
    `/%2e%2e/${area}/${rest}`,
    `/%${area.charCodeAt(0).toString(16)}${area.slice(1)}/${rest}`,
    `/${area}/%${rest.charCodeAt(0).toString(16)}${rest.slice(1)}`,
    `/${area}%2f${rest}`,
    `/${area}%2F${rest}`,
    `/${area}%252f${rest}`,
    `/${area}\\${rest}`,
    `/${area}%5c${rest}`,
    `/${area.toUpperCase()}/${rest}`,
    `/${area}/${rest.toUpperCase()}`,
    `/${area}/${rest}/`,
    `/${area}/${rest}/.`,
    `/${area}/${rest};x=1`,
    `/${area};x=1/${rest}`,
    `/${area}/${rest}%00`,
    `/${area}/${rest}%20`,
    `/${area}/${rest}%0a`,
    `/${area}/${rest}.json`,
    `/${area}/${rest}?`,
    `/${area}/${rest}?access=public`,
    `/${area}/${rest}#/health/live`,
    `/${area}/${rest}/health/live`,
    `http://x/${area}/${rest}`,
    `http://x/health/live/../../${area}/${rest}`
  ]
  const overrides = [
    'X-HTTP-Method-Override: GET',
    'X-Original-URL: /health/live',
    'X-Rewrite-URL: /health/live',
    'X-Forwarded-Uri: /health/live',
    'X-Forwarded-Prefix: /health',
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-User: admin',
    'X-Auth-Request-User: 1',
    'X-Auth-Request-Groups: admin'
  ]
  const ask = async (method: string, path: string, ...headers: string[]) => {
    const answer = await exchange(
      service,
      `${method} ${path} HTTP/1.1`,
      'Host: x',
      ...headers,
      'Connection: close',
      '',
      ''
    )
    return { status: Number(answer.split(' ')[1]), answer }
  }
  const bearer = `Authorization: Bearer ${reader.token}`
  for (const method of ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS']) {
    for (const path of [...tricks('auth', 'me'), ...tricks('auth', 'sessions'), ...tricks('authz', 'admin')]) {
      const { status } = await ask(method, path)
      // Below /docs/static/ everybody may ask what files take: they lie on no guarded path.
      const refusals = path.startsWith('/docs/static/') ? [400, 401, 404, 405] : [400, 401, 404]
      t.ok(refusals.includes(status), `${method} ${path} answered a stranger ${String(status)}`)
    }
  }
  for (const path of tricks('authz', 'admin')) {
    const { status, answer } = await ask('GET', path, bearer)
    t.ok([400, 403, 404].includes(status), `${path} answered a reader ${String(status)}`)
    t.notMatch(answer, /x-auth-request/i)
  }
  for (const header of overrides) {
    t.equal((await ask('GET', '/auth/me', header)).status, 401, header)
    t.equal((await ask('GET', '/authz/admin', header, bearer)).status, 403, header)
  }
})
