import { Argument, type Command, Option } from 'commander'
import type { Db } from '../src/database/database.ts'
import { flagsOf, type Role, roles, rolesOf } from '../src/roles.ts'
import type { UserRow } from '../src/repositories/users.ts'
import type { Users } from '../src/users/service.ts'
import { print, printAll } from './output.ts'
import { readPassword } from './password.ts'
import { withSchema } from './settings.ts'
import { addUsersImport } from './users-import.ts'

const pageSize = 500

export function addUsers(program: Command, env: NodeJS.ProcessEnv): void {
  const group = program.command('users').description('the accounts of people')

  group
    .command('create')
    .description('create a user; the password is asked for, or read from the first line of standard input')
    .requiredOption('--username <name>', 'unique in any case')
    .requiredOption('--email <address>', 'unique in any case')
    .addOption(new Option('--role <role...>', 'repeat it for several roles').choices(roles).default(['reader']))
    .action(async ({ username, email, role }: { username: string; email: string; role: Role[] }, command: Command) => {
      const user = await withUsers(env, async (users) =>
        users.create({ username, email, password: await readPassword() }, {}, role)
      )
      print(command, describe(user), `Created ${inWords(user)}`)
    })

  group
    .command('list')
    .description('list all users, in the order in which they came')
    .action(async (_options: object, command: Command) => {
      await withSchema(env, [], ({ db }) => printAll(command, everyUser(db), inColumns))
    })

  addDisabling('disable', 'keep a user from logging in, and end every session of theirs', true)
  addDisabling('enable', 'let a user log in again', false)

  function addDisabling(name: string, description: string, disabled: boolean): void {
    group
      .command(name)
      .description(description)
      .argument('<username>')
      .action(async (username: string, _options: object, command: Command) => {
        const user = await withUsers(env, (users) => users.setDisabled(username, disabled, {}))
        print(command, describe(user), `${disabled ? 'Disabled' : 'Enabled'} ${inWords(user)}`)
      })
  }

  addRoleCommand('grant', 'give a user a role', true)
  addRoleCommand('revoke', 'take a role from a user', false)
  addUsersImport(group, env)

  function addRoleCommand(name: string, description: string, granted: boolean): void {
    group
      .command(name)
      .description(`${description}; access tokens issued before become void`)
      .argument('<username>')
      .addArgument(new Argument('<role>').choices(roles))
      .action(async (username: string, role: Role, _options: object, command: Command) => {
        const user = await withUsers(env, (users) => users.setRole(username, role, granted, {}))
        print(command, describe(user), `Now ${inWords(user)}`)
      })
  }
}

async function withUsers<T>(env: NodeJS.ProcessEnv, work: (users: Users) => Promise<T>): Promise<T> {
  const settings = ['PASSWORD_MIN_LENGTH', 'ARGON2_MEMORY_KIB', 'ARGON2_ITERATIONS', 'ARGON2_PARALLELISM']
  return withSchema(env, settings, async ({ db }, config) => {
    const { createHasher } = await import('../src/passwords/hasher.ts')
    const { createUsers } = await import('../src/users/service.ts')
    const { createFindUserOfToken } = await import('../src/repositories/users-by-token.ts')
    const { createRevokingTransaction } = await import('../src/revocation/transaction.ts')
    const passwords = createHasher(config.argon2)
    try {
      return await work(
        createUsers({
          db,
          passwords,
          findUserOfToken: createFindUserOfToken(db, config.session),
          passwordPolicy: { minLength: config.passwordMinLength },
          inRevokingTransaction: createRevokingTransaction(db),
          // Not by readSettings, which would ask for the mail server that this needs in production.
          requireVerifiedEmail: env.REQUIRE_VERIFIED_EMAIL === 'on'
        })
      )
    } finally {
      await passwords.close()
    }
  })
}

async function* everyUser(db: Db) {
  const { listUsers } = await import('../src/repositories/users.ts')
  for (let page = await listUsers(db, 0, pageSize); page.length > 0;) {
    yield* page.map(describe)
    page = await listUsers(db, page.at(-1)?.id ?? 0, pageSize)
  }
}

const describe = (user: UserRow) => ({
  id: user.id,
  username: user.username,
  first_name: user.firstName,
  second_name: user.secondName,
  email: user.email,
  email_verified: user.emailVerified,
  pending_email: user.pendingEmail,
  ...flagsOf(user),
  is_disabled: user.isDisabled,
  last_login_at: user.lastLoginAt,
  created_at: user.createdAt,
  updated_at: user.updatedAt
})

type Description = ReturnType<typeof describe>

const inColumns = (user: Description) =>
  [user.id, user.username, user.email, rolesOf(user).join(',') || '-', user.is_disabled ? 'disabled' : 'enabled'].join(
    '\t'
  )

const inWords = (row: UserRow) =>
  `${row.username} <${row.email}>, ${rolesOf(flagsOf(row)).join(' and ') || 'without a role'}`
