import { Argument, type Command, Option } from 'commander'
import { viewClient, viewSecret } from '../routes/views.ts'
import type { ClientWithSecrets } from '../src/repositories/clients.ts'
import { clientScopes, type ClientScope } from '../src/scopes.ts'
import type { Services } from '../src/services.ts'
import { columnsFor, type Role, roles, rolesInClaims, listRoles } from '../src/roles.ts'
import { isUuid } from '../src/ids.ts'
import { CommandError } from './command-error.ts'
import { print, printAll } from './output.ts'
import { withServices } from './settings.ts'
import type { Columns } from './table.ts'

const pageSize = 100

export function addClients(program: Command, env: NodeJS.ProcessEnv): void {
  const group = program.command('clients').description('service clients, which call in their own name')

  group
    .command('create')
    .description('create a client and print its secret, which is shown only once')
    .requiredOption('--name <name>', 'what it is called in lists')
    .addOption(new Option('--role <role...>', 'repeat it for several roles').choices(roles).default([]))
    .addOption(
      new Option('--scope <scope...>', 'what it may do without a role; introspect unless named').choices(clientScopes)
    )
    .action(async ({ name, role, scope }: { name: string; role: Role[]; scope?: ClientScope[] }, command: Command) => {
      const scopes = scope && { scopes: scope }
      const { clientSecret, ...client } = await withServices(env, (clients) =>
        clients.createClient({ name, ...columnsFor(role), ...scopes }, {})
      )
      const words = [`Created ${inWords(client)}`, `client_id: ${client.id}`, `client_secret: ${clientSecret}`]
      print(command, { ...viewClient(client), client_secret: clientSecret }, words.join('\n'))
    })

  group
    .command('list')
    .description('list all clients, oldest first')
    .action(async (_options: object, command: Command) => {
      await withServices(env, (clients) => printAll(command, everyClient(clients), columns))
    })

  group
    .command('add-secret')
    .description(
      'add a second secret to a client and print it, which happens only once; both are valid until one is deleted'
    )
    .argument('<id>', 'the client_id')
    .action(async (id: string, _options: object, command: Command) => {
      const { clientSecret, ...secret } = await onClient(env, id, (clients) => clients.addClientSecret(id, {}))
      const words = `Added ${secret.id}\nclient_secret: ${clientSecret}`
      print(command, { ...viewSecret(secret), client_secret: clientSecret }, words)
    })

  group
    .command('end-secret')
    .description('delete a secret of a client; access tokens issued with it are revoked')
    .argument('<id>', 'the client_id')
    .argument('<secret-id>', 'as "gatehouse clients list" shows it')
    .action(async (id: string, secretId: string, _options: object, command: Command) => {
      if (!isUuid(secretId)) throw new CommandError(`There is no secret ${secretId}`, 'not_found')
      await onClient(
        env,
        id,
        (clients) => clients.endClientSecret(id, secretId, {}),
        `secret ${secretId} of client ${id}`
      )
      print(command, { id: secretId }, `Ended ${secretId}`)
    })

  group
    .command('set-scopes')
    .description('replace the scopes of a client; its access tokens are revoked')
    .argument('<id>', 'the client_id')
    .addArgument(new Argument('[scope...]', 'none of them unless named').choices(clientScopes))
    .action(async (id: string, scopes: ClientScope[], _options: object, command: Command) => {
      const client = await onClient(env, id, (clients) => clients.updateClient(id, { scopes }, {}))
      print(command, viewClient(client), `Now with ${scopes.join(' and ') || 'no scope'}: ${inWords(client)}`)
    })

  addSwitch('disable', 'keep a client from getting tokens; those that it has become void', true)
  addSwitch('enable', 'let a client get tokens again', false)

  group
    .command('delete')
    .description('delete a client with its secrets; its access tokens are revoked')
    .argument('<id>', 'the client_id')
    .action(async (id: string, _options: object, command: Command) => {
      await onClient(env, id, (clients) => clients.deleteClient(id, {}))
      print(command, { id }, `Deleted ${id}`)
    })

  function addSwitch(name: string, description: string, isDisabled: boolean): void {
    group
      .command(name)
      .description(description)
      .argument('<id>', 'the client_id')
      .action(async (id: string, _options: object, command: Command) => {
        const client = await onClient(env, id, (clients) => clients.updateClient(id, { isDisabled }, {}))
        print(command, viewClient(client), `Now ${isDisabled ? 'disabled' : 'enabled'}: ${inWords(client)}`)
      })
  }
}

/** Runs the operations on a client that may not be there, which is said in words. */
async function onClient<T>(
  env: NodeJS.ProcessEnv,
  id: string,
  work: (clients: Services) => Promise<T>,
  what = `client ${id}`
): Promise<T> {
  const { Problem } = await import('../src/errors.ts')
  const unknown = new CommandError(`There is no ${what}: "gatehouse clients list" lists them`, 'not_found')
  if (!isUuid(id)) throw unknown
  return withServices(env, work).catch((error: unknown) => {
    throw error instanceof Problem && error.code === 'not_found' ? unknown : error
  })
}

async function* everyClient(clients: Services) {
  let cursor: string | undefined
  do {
    const { items, nextCursor } = await clients.listClients({ limit: pageSize, cursor })
    yield* items.map(viewClient)
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
}

type Description = ReturnType<typeof viewClient>

const columns: Columns<Description> = {
  id: ({ id }) => id,
  status: (client) => (client.is_disabled ? 'disabled' : 'enabled'),
  roles: (client) => [...rolesInClaims(client), ...uncommon(client.scopes)].join(',') || '-',
  secrets: ({ secrets }) => secrets.map(({ id }) => id).join(',') || '-',
  name: ({ name }) => name
}

/** What is worth a word in a line: asking about tokens is what almost every client may. */
const uncommon = (scopes: readonly string[]) => scopes.filter((scope) => scope !== 'introspect')

const inWords = (client: ClientWithSecrets) =>
  `${client.name}, ${[...listRoles(client), ...uncommon(client.scopes)].join(' and ') || 'without a role'}`
