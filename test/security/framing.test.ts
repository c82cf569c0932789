import t from 'tap'
import { exchange } from '../support/raw.ts'
import { startService } from '../support/service.ts'

await t.test('what is not well-formed HTTP is refused in words, and the connection is closed', async (t) => {
  const service = await startService(t)
  const post = ['POST /auth/login HTTP/1.1', 'Host: gatehouse.test', 'Content-Type: application/json']
  const malformed: [what: string, status: number, lines: string[]][] = [
    ['two lengths', 400, [...post, 'Transfer-Encoding: chunked', 'Content-Length: 5', '', '0', '', '']],
    ['two different content lengths', 400, [...post, 'Content-Length: 5', 'Content-Length: 6', '', '{}', '']],
    ['a chunk without a size', 400, [...post, 'Transfer-Encoding: chunked', '', 'zz', '{}', '0', '', '']],
    ['a header of 17 kB', 431, [...post, `X-Long: ${'x'.repeat(17 * 1024)}`, '', '']],
    ['no HTTP at all', 400, ['hello', '', '']]
  ]
  for (const [what, status, lines] of malformed) {
    const answer = await exchange(service, ...lines)
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${String(status)} `), what)
    t.match(answer, /content-type: application\/problem\+json/i, what)
    t.match(answer, /connection: close/i, what)
  }
  t.match(
    await exchange(service, 'GET /health/live HTTP/1.1', 'Connection: close', '', ''),
    /^HTTP\/1\.1 400 /,
    'no Host'
  )
})
