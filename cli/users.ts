import { Argument, type Command, Option } from 'commander'
import type { Db } from '../src/database/database.ts'
import { toColumn, defaultRoles, type Role, roles, rolesInClaims, listRoles } from '../src/roles.ts'
import { viewUserForAdmins } from '../routes/views.ts'
import type { UserRow } from '../src/repositories/users.ts'
import { print, printAll, rowsById } from './output.ts'
import { readPassword } from './password.ts'
import { withSchema, withServices } from './settings.ts'
import { addUsersImport } from './users-import.ts'

const pageSize = 500

export function addUsers(program: Command, env: NodeJS.ProcessEnv): void {
  const group = program.command('users').description('users')

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
    .description('list all users, oldest first')
    .action(async (_options: object, command: Command) => {
      await withSchema(env, [], ({ db }) => printAll(command, everyUser(db), inColumns))
    })

  addDisabling('disable', 'disable a user and end all their sessions', true)
  addDisabling('enable', 'enable a user again', false)

  function addDisabling(name: string, description: string, disabled: boolean): void {
    group
      .command(name)
      .description(description)
      .argument('<username>')
      .action(async (username: string, _options: object, command: Command) => {
        const user = await withServices(env, ({ updateUser }) => updateUser({ username }, { isDisabled: disabled }, {}))
        print(command, viewUserForAdmins(user), `${disabled ? 'Disabled' : 'Enabled'} ${inWords(user)}`)
      })
  }

  addRoleCommand('grant', 'give a user a role', true)
  addRoleCommand('revoke', 'take a role from a user', false)
  addUsersImport(group, env)

  function addRoleCommand(name: string, description: string, granted: boolean): void {
    group
      .command(name)
      .description(`${description}; earlier access tokens are revoked`)
      .argument('<username>')
      .addArgument(new Argument('<role>').choices(roles))
      .action(async (username: string, role: Role, _options: object, command: Command) => {
        const user = await withServices(env, ({ updateUser }) =>
          updateUser({ username }, { [toColumn(role)]: granted }, {})
        )
        print(command, viewUserForAdmins(user), `Now ${inWords(user)}`)
      })
  }
}

async function* everyUser(db: Db) {
  const { listUsersById } = await import('../src/repositories/users.ts')
  for await (const user of rowsById((after) => listUsersById(db, after, pageSize))) yield viewUserForAdmins(user)
}

type Description = ReturnType<typeof viewUserForAdmins>

const inColumns = (user: Description) =>
  [
    user.id,
    user.username,
    user.email,
    rolesInClaims(user).join(',') || '-',
    user.is_disabled ? 'disabled' : 'enabled'
  ].join('\t')

const inWords = (row: UserRow) => `${row.username} <${row.email}>, ${listRoles(row).join(' and ') || 'without a role'}`
