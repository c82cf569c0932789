import { type Command, Option } from 'commander'
import type { Config } from '../src/config/config.ts'
import type { RefreshKey, SigningKey } from '../src/keys/key-files.ts'
import type { KeyState } from '../src/keys/key-states.ts'
import { CommandError } from './command-error.ts'
import { print } from './output.ts'
import { readSettings } from './settings.ts'
import { type Columns, createTable } from './table.ts'

type Kind = 'access' | 'refresh'

interface Description {
  kid: string
  /** What the key is for: access tokens or refresh tokens. */
  kind: Kind
  algorithm: string
  state: KeyState
  created_at: Date
}

export function addKeys(program: Command, env: NodeJS.ProcessEnv): void {
  const group = program.command('keys').description('signing keys of access tokens and refresh tokens')
  const kindOption = () =>
    new Option('--kind <kind>', 'the tokens that the key is for').choices(['access', 'refresh']).default('access')

  group
    .command('generate')
    .description('generate the first keys in KEYS_DIR: one that signs access tokens (ES256), one for refresh tokens')
    .action(async (_options: object, command: Command) => {
      const { dir } = await folder(env)
      const { generateMissingKeys } = await import('../src/keys/key-files.ts')
      const made = generateMissingKeys(dir)
      if (made.length === 0) throw new CommandError(`${dir} has its keys: to add one use "gatehouse keys rotate"`)
      print(command, { made }, made.map((kid) => `Made key ${kid} in ${dir}`).join('\n'))
    })

  group
    .command('rotate')
    .description('add a key, which signs after KEY_ACTIVATION_DELAY_SECONDS; running instances notice by themselves')
    .addOption(kindOption())
    .action(async ({ kind }: { kind: Kind }, command: Command) => {
      const { dir, config } = await folder(env)
      const { generateRefreshKey, generateSigningKey } = await import('../src/keys/key-files.ts')
      const { kid } = kind === 'access' ? generateSigningKey(dir) : generateRefreshKey(dir)
      const words = `Made key ${kid}; it signs in ${String(config.keyActivationDelay)} seconds, or as soon as the key before it is retired`
      print(command, { kid, kind, signs_in: config.keyActivationDelay }, words)
    })

  group
    .command('list')
    .description('list the keys, oldest first, with their state: pending, active, retiring or gone')
    .action(async (_options: object, command: Command) => {
      const keys = await describeAll(await settings(env))
      const none = 'There is no key: make one with "gatehouse keys generate"'
      print(command, keys, keys.length === 0 ? none : createTable(columns)(keys).trimEnd())
    })

  group
    .command('retire')
    .description('delete retired keys, or a named one, whose tokens are refused from then on')
    .argument('[kid]', 'a key that must not be trusted any longer')
    .action(async (kid: string | undefined, _options: object, command: Command) => {
      const { dir, config } = await folder(env)
      const keys = await describeAll(config)
      const retired = kid === undefined ? keys.filter(({ state }) => state === 'gone') : [named(keys, kid)]
      const { removeKey } = await import('../src/keys/key-files.ts')
      for (const key of retired) removeKey(dir, key.kid)
      const words =
        retired.map((key) => `Took key ${key.kid} away`).join('\n') || 'No key is gone: there is nothing to take away'
      print(command, { retired: retired.map((key) => key.kid) }, words)
    })
}

const columns: Columns<Description> = {
  kid: ({ kid }) => kid,
  kind: ({ kind }) => kind,
  algorithm: ({ algorithm }) => algorithm,
  state: ({ state }) => state,
  created: ({ created_at }) => created_at.toISOString()
}

/** @throws {CommandError} unless there is such a key, and another of its kind */
function named(keys: Description[], kid: string): Description {
  const key = keys.find((candidate) => candidate.kid === kid)
  if (key === undefined) throw new CommandError(`There is no key ${kid}: see "gatehouse keys list"`, 'not_found')
  if (keys.filter(({ kind }) => kind === key.kind).length === 1) {
    throw new CommandError(
      `${kid} is the only key for ${key.kind} tokens: run "gatehouse keys rotate --kind ${key.kind}" first`
    )
  }
  return key
}

async function describeAll(config: Config): Promise<Description[]> {
  const { readKeys } = await import('../src/keys/key-files.ts')
  const { listSchedules, listStates } = await import('../src/keys/key-states.ts')
  const { signing, refresh } = readKeys(config.keys)
  const schedules = listSchedules(config)
  const describe = (keys: (SigningKey | RefreshKey)[], kind: Kind): Description[] => {
    const states = listStates(keys, schedules[kind], Date.now())
    return keys.map((key, index) => ({
      kid: key.kid,
      kind,
      algorithm: 'algorithm' in key ? key.algorithm : 'HS256',
      state: states[index] ?? 'gone',
      created_at: key.createdAt
    }))
  }
  return [...describe(signing, 'access'), ...describe(refresh, 'refresh')]
}

const settings = (env: NodeJS.ProcessEnv) =>
  readSettings(env, [
    'KEYS_DIR',
    'JWT_PRIVATE_KEY',
    'JWT_PUBLIC_KEY',
    'KEY_ACTIVATION_DELAY_SECONDS',
    'ACCESS_TOKEN_EXPIRE_MINUTES',
    'REFRESH_TOKEN_EXPIRE_DAYS',
    'SESSION_MAX_DAYS'
  ])

/** @throws {CommandError} where one pair is used instead of a folder */
async function folder(env: NodeJS.ProcessEnv): Promise<{ dir: string; config: Config }> {
  const config = await settings(env)
  if ('dir' in config.keys) return { dir: config.keys.dir, config }
  throw new CommandError(
    'JWT_PRIVATE_KEY is set, so a key in KEYS_DIR would not be used: unset JWT_PRIVATE_KEY and JWT_PUBLIC_KEY first'
  )
}
