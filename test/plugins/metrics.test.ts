import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import t from 'tap'
import { call, registerPerson } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { startMailServer } from '../support/mail-server.ts'
import { type Service, startService } from '../support/service.ts'

const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('prom-client'))

await t.test('what measures is not even loaded without METRICS_PORT', async (t) => {
  await startService(t)
  t.equal(isLoaded(), false)
  await startService(t, { METRICS_PORT: '0' })
  t.equal(isLoaded(), true)
})

await t.test('metrics are on a port of their own: durations by route pattern, method and status', async (t) => {
  const service = await startService(t, { METRICS_PORT: '0' })
  await call(service, 'GET /health/live')
  await call(service, 'GET /authz/reader')
  await call(service, 'POST /auth/login', { json: {} })
  await call(service, 'GET /canary-path')
  await call(service, 'GET /canary-path-2?secret=canary')

  const { status, headers, text } = await call(metricsOf(service), 'GET /metrics')
  t.equal(status, 200)
  t.match(headers.get('content-type'), 'text/plain; version=0.0.4')
  t.match(text, /^process_cpu_seconds_total \d/m)
  t.match(text, /^nodejs_eventloop_lag_seconds \d/m)
  const counted = (method: string, route: string, code: number) =>
    `http_request_duration_seconds_count{method="${method}",route="${route}",status="${String(code)}"}`
  t.match(text, `${counted('GET', '/health/live', 200)} 1\n`)
  t.match(text, `${counted('GET', '/authz/reader', 401)} 1\n`)
  t.match(text, `${counted('POST', '/auth/login', 400)} 1\n`)
  t.match(text, `${counted('GET', 'unmatched', 404)} 2\n`, 'unknown paths share one series')
  t.notMatch(text, 'canary')
})

await t.test('jobs are counted by kind and outcome', async (t) => {
  const mail = await startMailServer(t)
  const service = await startService(t, { METRICS_PORT: '0', ...mail.env })
  const counted = async (text: string) => (await call(metricsOf(service), 'GET /metrics')).text.includes(text)
  const { email } = await registerPerson(service)
  await mail.mailTo(t, email)
  await eventually(t, 'a mail is done', () => counted('gatehouse_jobs_total{kind="mail",outcome="done"} 1\n'))
  t.ok(await counted('gatehouse_jobs_total{kind="email_verification_request",outcome="done"} 1\n'))
  await mail.stop()
  await call(service, 'POST /auth/password/forgot', { json: { email } })
  await eventually(t, 'a mail is postponed', () => counted('gatehouse_jobs_total{kind="mail",outcome="postponed"} '))
})

await t.test('docs/metrics.md lists what is measured', async (t) => {
  const service = await startService(t, { METRICS_PORT: '0' })
  await call(service, 'GET /health/live')
  const { text } = await call(metricsOf(service), 'GET /metrics')
  const measured = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => `${name} ${type}`)
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const listed = [...page.matchAll(/^\| `(\w+)` +\| (\w+)/gm)].map(([, name = '', type = '']) => `${name} ${type}`)
  t.same(measured.filter((name) => !/^(process|nodejs)_/.test(name)).sort(), listed.sort())
})

await t.test('the public port has no metrics, and the metrics port nothing else', async (t) => {
  const service = await startService(t, { METRICS_PORT: '0' })
  t.equal((await call(service, 'GET /metrics')).status, 404)
  t.equal((await call(metricsOf(service), 'GET /auth/me')).status, 404)
  const posted = await call(metricsOf(service), 'POST /metrics')
  t.match(posted, { status: 405 })
  t.equal(posted.headers.get('allow'), 'GET, HEAD')
})

await t.test('a service that has stopped holds no port of metrics', async (t) => {
  const service = await startService(t, { METRICS_PORT: '0' })
  const metrics = metricsOf(service)
  t.equal((await call(metrics, 'GET /metrics')).status, 200)
  await service.close()
  await t.rejects(call(metrics, 'GET /metrics'), { message: 'fetch failed' })
})

/** The port is one that was free; the log tells which. */
function metricsOf({ log }: Service): { url: string } {
  const line = log
    .map((entry) => JSON.parse(entry) as { msg: string; port: number })
    .find(({ msg }) => msg.includes('/metrics'))
  return { url: `http://127.0.0.1:${String(line?.port)}` }
}
