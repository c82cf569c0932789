import { readFileSync } from 'node:fs'
import t from 'tap'
import { createClient, tokenOf } from '../support/service-client.ts'
import { startService } from '../support/service.ts'
import { createShell, patternOf } from '../support/shell.ts'

const page = readFileSync(new URL('../../docs/service-to-service.md', import.meta.url), 'utf8')

await t.test('the page about services answers as printed there', async (t) => {
  const steps = [...page.matchAll(/```sh\n(.*?)```\n\n```http\n(.*?)```/gs)]
  t.ok(steps.length >= 6, 'there are commands with answers')
  const service = await startService(t)
  const client = await createClient(service)
  const shell = createShell(t, {
    CLIENT_ID: client.id,
    CLIENT_SECRET: client.secret,
    TOKEN: await tokenOf(service, client)
  })
  for (const [, command = '', answer = ''] of steps) {
    const printed = await shell(command.replaceAll('http://127.0.0.1:3000', service.url))
    t.match(printed, patternOf(answer), command.trim())
  }
})
