import { type Command, Option } from 'commander'
import { viewUserForAdmins } from '../routes/views.ts'
import type { UserRow } from '../src/repositories/users.ts'
import { defaultRoles, listRoles, type Role, roles, rolesInClaims } from '../src/roles.ts'
import type { Services } from '../src/services.ts'
import { readCount } from './numbers.ts'
import { print, printAll, take } from './output.ts'
import { readPassword } from './password.ts'
import { withServices } from './settings.ts'
import { type Columns, layOutFacts } from './table.ts'
import { findUser, onUser, userArgument } from './user-argument.ts'
import { inWords } from './user-words.ts'
import { addUserChanges } from './users-change.ts'
import { addUsersImport } from './users-import.ts'
import { addUserPasswords } from './users-password.ts'

const pageSize = 500

interface ListOptions {
  search?: string
  role?: Role
  status?: 'enabled' | 'disabled'
  limit?: number
  after?: string
}

export function addUsers(program: Command, env: NodeJS.ProcessEnv): void {
  const group = program.command('users').description('find, create, change and import users')

  group
    .command('create')
    .description('create a user; the password is asked for, or read from the first line of standard input')
    .requiredOption('--username <name>', 'unique in any case')
    .requiredOption('--email <address>', 'unique in any case')
    .addOption(
      new Option('--role <role...>', 'repeat it for several roles').choices(roles).default(listRoles(defaultRoles))
    )
    .action(async ({ username, email, role }: { username: string; email: string; role: Role[] }, command: Command) => {
      const user = await withServices(env, async ({ createUser }) =>
        createUser({ username, email, password: await readPassword() }, {}, role)
      )
      print(command, viewUserForAdmins(user), `Created ${inWords(user)}`)
    })

  group
    .command('list')
    .description('list users, oldest first')
    .option('--search <text>', 'whose username or e-mail address begins so')
    .addOption(new Option('--role <role>', 'who have the role').choices(roles))
    .addOption(new Option('--status <status>', 'who may log in, or may not').choices(['enabled', 'disabled']))
    .option('--limit <number>', 'at most so many', readCount)
    .option('--after <user>', 'those that come after one')
    .action(async (options: ListOptions, command: Command) => {
      await withServices(env, async (services) => {
        const users = await listFrom(services, options)
        await printAll(command, take(users, options.limit), columns)
      })
    })

  group
    .command('show')
    .description('show a user')
    .addArgument(userArgument())
    .action(async (named: string, _options: object, command: Command) => {
      const user = await onUser(env, named, async (_services, found) => found)
      print(command, viewUserForAdmins(user), layOutFacts(factsOf(user)))
    })

  addUserChanges(group, env)
  addUserPasswords(group, env)
  addUsersImport(group, env)
}

type Description = ReturnType<typeof viewUserForAdmins>

const sort = 'created_at'

async function listFrom(services: Services, { search, role, status, after }: ListOptions) {
  const first = after === undefined ? undefined : await findUser(services, after)
  const cursor = first && (await services.cursorAfterUser(first.id, sort))
  const filters = { ...(search && { q: search }), ...(role && { role }), ...(status && { status }) }
  return everyUser(services, filters, cursor)
}

async function* everyUser(
  { listUsers }: Services,
  filters: Pick<Parameters<Services['listUsers']>[0], 'q' | 'role' | 'status'>,
  first: string | undefined
): AsyncGenerator<Description> {
  let cursor = first
  do {
    const page = await listUsers({ ...filters, limit: pageSize, sort, ...(cursor && { cursor }) })
    yield* page.items.map(viewUserForAdmins)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
}

const columns: Columns<Description> = {
  id: ({ id }) => id,
  username: ({ username }) => username,
  email: ({ email }) => email,
  roles: (user) => rolesInClaims(user).join(',') || '-',
  status: (user) => (user.is_disabled ? 'disabled' : 'enabled')
}

const factsOf = (user: UserRow) => ({
  id: user.id,
  username: user.username,
  email: `${user.email} (${user.emailVerified ? 'verified' : 'not verified'})`,
  ...(user.pendingEmail !== null && { 'pending email': user.pendingEmail }),
  name: [user.firstName, user.secondName].filter((name) => name !== null).join(' ') || '-',
  roles: listRoles(user).join(', ') || '-',
  status: user.isDisabled ? 'disabled' : 'enabled',
  password: user.passwordHash === null ? 'not set' : 'set',
  created: user.createdAt.toISOString(),
  'last login': user.lastLoginAt?.toISOString() ?? 'never'
})
