import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'

// As much of curl as the documents use, for machines without it: -i -s -X -H -d -u -b FILE -c FILE.
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    include: { type: 'boolean', short: 'i' },
    silent: { type: 'boolean', short: 's' },
    request: { type: 'string', short: 'X' },
    header: { type: 'string', short: 'H', multiple: true, default: [] },
    data: { type: 'string', short: 'd' },
    user: { type: 'string', short: 'u' },
    cookie: { type: 'string', short: 'b' },
    'cookie-jar': { type: 'string', short: 'c' }
  }
})
const headers: Record<string, string> = {}
if (values.data !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
if (values.user !== undefined) headers.authorization = `Basic ${Buffer.from(values.user).toString('base64')}`
for (const line of values.header) {
  const [name = '', value = ''] = line.split(/: */s, 2)
  headers[name.toLowerCase()] = value
}
if (values.cookie !== undefined && existsSync(values.cookie)) headers.cookie = readFileSync(values.cookie, 'utf8')
const method = values.request ?? (values.data === undefined ? 'GET' : 'POST')
const sent = request(positionals[0] ?? '', { method, headers }).end(values.data)
const [response] = (await once(sent, 'response')) as [IncomingMessage]
if (values['cookie-jar'] !== undefined) {
  const pairs = response.headers['set-cookie']?.map((line) => line.split(';')[0]) ?? []
  writeFileSync(values['cookie-jar'], pairs.join('; '))
}
if (values.include === true) {
  const lines = response.rawHeaders.map((part, index) => (index % 2 === 0 ? `${part}: ` : `${part}\r\n`))
  const status = `${String(response.statusCode ?? 0)} ${response.statusMessage ?? ''}`
  process.stdout.write(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`)
}
process.stdout.write(await text(response))
