import type { Command } from 'commander'
import type { SigningKey } from '../tokens/keyring.ts'
import { CommandError } from './command-error.ts'
import { print } from './output.ts'
import { readSettings } from './settings.ts'

export function addKeys(program: Command, env: NodeJS.ProcessEnv): void {
  const group = program.command('keys').description('the keys that sign access tokens')

  group
    .command('generate')
    .description('make an ES256 key in KEYS_DIR; the newest key signs')
    .action(async (_options: object, command: Command) => {
      const source = await keySource(env)
      if (!('dir' in source)) {
        throw new CommandError(
          'JWT_PRIVATE_KEY is set, so a key in KEYS_DIR would not be used: unset JWT_PRIVATE_KEY and JWT_PUBLIC_KEY first'
        )
      }
      const { generateKey } = await import('../tokens/keyring.ts')
      const key = await generateKey(source.dir)
      print(command, describe(key), `Made key ${key.kid} in ${source.dir}`)
    })

  group
    .command('list')
    .description('list the keys, newest first; the first one signs, all of them verify')
    .action(async (_options: object, command: Command) => {
      const source = await keySource(env)
      const { loadKeyring, readKeys } = await import('../tokens/keyring.ts')
      const keys = 'dir' in source ? await readKeys(source.dir) : [(await loadKeyring(source)).active]
      const words = keys.map((key) => [key.kid, key.algorithm, key.createdAt.toISOString()].join('\t')).join('\n')
      print(command, keys.map(describe), words || 'There is no key: make one with "gatehouse keys generate"')
    })
}

const keySource = async (env: NodeJS.ProcessEnv) =>
  (await readSettings(env, ['KEYS_DIR', 'JWT_PRIVATE_KEY', 'JWT_PUBLIC_KEY'])).keys

const describe = ({ kid, algorithm, createdAt }: SigningKey) => ({ kid, algorithm, created_at: createdAt })
