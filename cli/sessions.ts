import type { Command } from 'commander'
import { viewSession } from '../routes/views.ts'
import { isUuid } from '../src/ids.ts'
import type { UserRow } from '../src/repositories/users.ts'
import type { Services } from '../src/services.ts'
import { CommandError } from './command-error.ts'
import { print } from './output.ts'
import { type Columns, createTable } from './table.ts'
import { onUser, userArgument } from './user-argument.ts'

export function addSessions(program: Command, env: NodeJS.ProcessEnv): void {
  const group = program.command('sessions').description('list and end the sessions of a user')

  group
    .command('list')
    .description('list the sessions of a user, the one that was used last first')
    .addArgument(userArgument())
    .action(async (named: string, _options: object, command: Command) => {
      const sessions = await onUser(env, named, ({ listUserSessions }, { id }) => listUserSessions(id))
      const views = sessions.map(describe)
      print(command, views, createTable(columns)(views).trimEnd())
    })

  group
    .command('end')
    .description('end a session of a user, or all of them; their access tokens are revoked')
    .addArgument(userArgument())
    .argument('[id]', 'as "gatehouse sessions list" shows it')
    .option('--all', 'every session of the user')
    .action(async (named: string, id: string | undefined, { all }: { all?: true }, command: Command) => {
      if ((id === undefined) === (all === undefined)) {
        throw new CommandError('Name a session, or all of them by --all: "gatehouse sessions list" lists them', 'usage')
      }
      const ended = await onUser(env, named, (services, user) => end(services, user, id))
      print(command, { ended }, `Ended ${String(ended)} ${ended === 1 ? 'session' : 'sessions'}`)
    })
}

/** @returns how many have ended */
async function end({ endUserSession, endUserSessions }: Services, user: UserRow, id?: string): Promise<number> {
  if (id === undefined) return endUserSessions(user.id, {})
  const { Problem } = await import('../src/errors.ts')
  const unknown = new CommandError(`There is no session ${id} of ${user.username}`, 'not_found')
  if (!isUuid(id)) throw unknown
  await endUserSession(user.id, id, {}).catch((error: unknown) => {
    throw error instanceof Problem && error.code === 'not_found' ? unknown : error
  })
  return 1
}

/** Without what says which session asks: no command has one. */
function describe(session: Parameters<typeof viewSession>[0]) {
  const { current, ...view } = viewSession(session, { sessionId: '' })
  return view
}

const columns: Columns<ReturnType<typeof describe>> = {
  id: ({ id }) => id,
  created: ({ created_at }) => created_at.toISOString(),
  'last used': ({ last_used_at }) => last_used_at.toISOString(),
  expires: ({ expires_at }) => expires_at.toISOString(),
  ip: ({ ip }) => ip ?? '-',
  client: ({ user_agent }) => user_agent ?? '-'
}
