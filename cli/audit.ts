import { setTimeout as delay } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { viewEvent } from '../routes/views.ts'
import type { AuditRow } from '../src/repositories/audit-event-list.ts'
import { CommandError } from './command-error.ts'
import { wantsJson, write } from './output.ts'
import { withSchema } from './settings.ts'

// Milliseconds between two looks.
const interval = 500

interface TailArguments {
  lines: number
  type?: string
  follow: boolean
}

export function addAudit(program: Command, env: NodeJS.ProcessEnv): void {
  const group = program.command('audit').description('audit events')

  group
    .command('tail')
    .description('print the latest events, then follow new ones until interrupted')
    .option('-n, --lines <number>', 'how many of the latest', count, 20)
    .option('--type <type>', 'of this type only, such as user.login_failed')
    .option('--no-follow', 'end after the latest')
    .action(async ({ lines, type, follow }: TailArguments, command: Command) => {
      const [{ tail }, { auditEventTypes }] = await Promise.all([
        import('../src/repositories/audit-event-list.ts'),
        import('../src/repositories/audit-events.ts')
      ])
      if (type !== undefined && !auditEventTypes.some((known) => known === type)) {
        throw new CommandError(`There are no events of the type ${type}. The types are: ${auditEventTypes.join(', ')}`)
      }
      const interruption = new AbortController()
      process.once('SIGINT', () => {
        interruption.abort()
      })
      const { signal } = interruption
      const wait = async () => {
        if (follow) await delay(interval, undefined, { signal }).catch(() => undefined)
        return follow && !signal.aborted
      }
      const form = wantsJson(command) ? asJson : inWords
      await withSchema(env, [], async ({ db }) => {
        for await (const event of tail(db, { lines, type, wait })) await write(`${form(event)}\n`)
      })
    })
}

function count(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number of lines, at most 99999.')
}

/** A JSON object a line, which programs can read as it comes. */
const asJson = (event: AuditRow) => JSON.stringify(viewEvent(event))

function inWords(event: AuditRow): string {
  const parts = [
    event.userId === null ? [] : `user=${String(event.userId)}`,
    event.actorId === null ? [] : `actor=${String(event.actorId)}`,
    event.actorClientId === null ? [] : `client=${event.actorClientId}`,
    event.ip === null ? [] : `ip=${event.ip}`,
    event.requestId === null ? [] : `request=${event.requestId}`,
    event.userAgent === null ? [] : `agent=${JSON.stringify(event.userAgent)}`,
    Object.keys(event.details).length === 0 ? [] : JSON.stringify(event.details)
  ].flat()
  return printable([event.createdAt.toISOString(), event.type, ...parts].join(' '))
}

/** What clients sent must not command the terminal that it is printed on; JSON leaves these as they are. */
const printable = (text: string) => text.replaceAll(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '?')
