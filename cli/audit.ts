import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { closestMatch } from 'leven'
import { viewEvent } from '../routes/views.ts'
import type { AuditRow } from '../src/repositories/audit-event-list.ts'
import { CommandError } from './command-error.ts'
import { readCount } from './numbers.ts'
import { wantsJson, write } from './output.ts'
import { withSchema } from './settings.ts'
import { printable } from './table.ts'

// Milliseconds between two looks.
const interval = 500

interface TailArguments {
  lines: number
  type?: string
  follow: boolean
}

export function addAudit(program: Command, env: NodeJS.ProcessEnv): void {
  const group = program.command('audit').description('read the audit events')

  group
    .command('tail')
    .description('print the latest events, then follow new ones until interrupted')
    .option('-n, --lines <number>', 'how many of the latest', readCount, 20)
    .option('--type <type>', 'of this type only, such as user.login_failed')
    .option('--no-follow', 'end after the latest')
    .action(async ({ lines, type, follow }: TailArguments, command: Command) => {
      const [{ tail }, { auditEventTypes }] = await Promise.all([
        import('../src/repositories/audit-event-list.ts'),
        import('../src/repositories/audit-events.ts')
      ])
      if (type !== undefined && !auditEventTypes.some((known) => known === type)) {
        const message = `There are no events of the type ${type}: did you mean ${String(closestMatch(type, auditEventTypes))}?`
        throw new CommandError(`${message} The types are: ${auditEventTypes.join(', ')}`, 'usage')
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
        let isEmpty = true
        for await (const event of tail(db, { lines, type, wait })) {
          isEmpty = false
          if (!(await write(`${form(event)}\n`))) return
        }
        if (isEmpty && !wantsJson(command)) process.stderr.write('There are no such events\n')
      })
    })
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
