import { type Command, Option } from 'commander'
import { viewUserForAdmins } from '../routes/views.ts'
import { type Language, languages } from '../src/language.ts'
import { CommandError } from './command-error.ts'
import { print } from './output.ts'
import { readPassword } from './password.ts'
import { onUser, userArgument } from './user-argument.ts'

export function addUserPasswords(group: Command, env: NodeJS.ProcessEnv): void {
  group
    .command('set-password')
    .description(
      'set the password of a user and end all their sessions; it is asked for, or read from the first line of standard input'
    )
    .addArgument(userArgument())
    .action(async (named: string, _options: object, command: Command) => {
      const user = await onUser(env, named, async ({ setPassword }, { id }) =>
        setPassword(id, await readPassword(), {})
      )
      const words = `Set the password of ${user.username} <${user.email}>: every session has ended`
      print(command, viewUserForAdmins(user), words)
    })

  group
    .command('send-reset')
    .description('mail a user a link to set another password; the running service sends it')
    .addArgument(userArgument())
    .addOption(new Option('--language <language>', 'of the mail').choices(languages).default(languages[0]))
    .action(async (named: string, { language }: { language: Language }, command: Command) => {
      const user = await onUser(env, named, async ({ forgotPassword }, found) => {
        if (found.isDisabled) {
          const message = `${found.username} is disabled and gets no mail: "gatehouse users enable ${found.username}" first`
          throw new CommandError(message)
        }
        await forgotPassword(found.email, { language })
        return found
      })
      const words = `A mail to ${user.email} waits for the running service, which writes and sends it`
      print(command, viewUserForAdmins(user), words)
    })
}
