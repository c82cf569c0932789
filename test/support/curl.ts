import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { STATUS_CODES } from 'node:http'
import { parseArgs } from 'node:util'

// As much of curl as the README uses, for machines without it: -i -s -X -H -d -b FILE -c FILE.
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    include: { type: 'boolean', short: 'i' },
    silent: { type: 'boolean', short: 's' },
    request: { type: 'string', short: 'X' },
    header: { type: 'string', short: 'H', multiple: true },
    data: { type: 'string', short: 'd' },
    cookie: { type: 'string', short: 'b' },
    'cookie-jar': { type: 'string', short: 'c' }
  }
})
const headers = new Headers(values.header?.map((line) => line.split(/: */s, 2) as [string, string]))
if (values.cookie !== undefined && existsSync(values.cookie)) headers.set('cookie', readFileSync(values.cookie, 'utf8'))
const response = await fetch(positionals[0] ?? '', {
  method: values.request ?? (values.data === undefined ? 'GET' : 'POST'),
  headers,
  ...(values.data !== undefined && { body: values.data })
})
if (values['cookie-jar'] !== undefined) {
  const pairs = response.headers.getSetCookie().map((line) => line.split(';')[0])
  writeFileSync(values['cookie-jar'], pairs.join('; '))
}
if (values.include === true) {
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}\r\n`)
  const status = `HTTP/1.1 ${String(response.status)} ${STATUS_CODES[response.status] ?? ''}\r\n`
  process.stdout.write(`${status}${lines.join('')}\r\n`)
}
process.stdout.write(await response.text())
