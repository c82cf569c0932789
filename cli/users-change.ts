import { Argument, type Command } from 'commander'
import { viewUserForAdmins } from '../routes/views.ts'
import { type Role, roles, toColumn } from '../src/roles.ts'
import { confirm } from './confirm.ts'
import { print } from './output.ts'
import { onUser, userArgument } from './user-argument.ts'
import { inWords } from './user-words.ts'

export function addUserChanges(group: Command, env: NodeJS.ProcessEnv): void {
  addRoleCommand('grant', 'give a user a role', true)
  addRoleCommand('revoke', 'take a role from a user', false)
  addSwitch('disable', 'disable a user and end all their sessions', true)
  addSwitch('enable', 'enable a user again', false)

  group
    .command('delete')
    .description('delete a user; their tokens are revoked, and the audit log keeps no name of theirs')
    .addArgument(userArgument())
    .option('--yes', 'do not ask for confirmation')
    .action(async (named: string, { yes }: { yes?: true }, command: Command) => {
      const user = await onUser(env, named, async ({ deleteUser }, found) => {
        if (yes !== true) await confirm(`Delete ${found.username} <${found.email}>`)
        await deleteUser(found.id, {})
        return found
      })
      print(command, viewUserForAdmins(user), `Deleted ${user.username} <${user.email}>`)
    })

  function addRoleCommand(name: string, description: string, isGranted: boolean): void {
    group
      .command(name)
      .description(`${description}; earlier access tokens are revoked`)
      .addArgument(userArgument())
      .addArgument(new Argument('<role>').choices(roles))
      .action(async (named: string, role: Role, _options: object, command: Command) => {
        const user = await onUser(env, named, ({ updateUser }, { id }) =>
          updateUser({ id }, { [toColumn(role)]: isGranted }, {})
        )
        print(command, viewUserForAdmins(user), `Now ${inWords(user)}`)
      })
  }

  function addSwitch(name: string, description: string, isDisabled: boolean): void {
    group
      .command(name)
      .description(description)
      .addArgument(userArgument())
      .action(async (named: string, _options: object, command: Command) => {
        const user = await onUser(env, named, ({ updateUser }, { id }) => updateUser({ id }, { isDisabled }, {}))
        print(command, viewUserForAdmins(user), `${isDisabled ? 'Disabled' : 'Enabled'} ${inWords(user)}`)
      })
  }
}
