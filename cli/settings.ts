import type { Config } from '../src/config/config.ts'
import type { Database } from '../src/database/database.ts'
import { CommandError } from './command-error.ts'

const forDatabase = ['NODE_ENV', 'DATABASE_URL', 'DATABASE_POOL_SIZE']

/**
 * Reads the settings that a command needs and no others: a job that migrates has no need of an issuer.
 * @throws {ConfigError}
 */
export async function readSettings(env: NodeJS.ProcessEnv, names: string[]): Promise<Config> {
  const { readConfig } = await import('../src/config/config.ts')
  return readConfig(Object.fromEntries(names.map((name) => [name, env[name]])))
}

/** Opens the database for the time of `work`. `names` are the settings that `work` needs beside the database's. */
export async function withDatabase<T>(
  env: NodeJS.ProcessEnv,
  names: string[],
  work: (database: Database, config: Config) => Promise<T>
): Promise<T> {
  const config = await readSettings(env, [...forDatabase, ...names])
  const { openDatabase } = await import('../src/database/open.ts')
  const database = await openDatabase(config.database)
  try {
    return await work(database, config)
  } finally {
    await database.close()
  }
}

/** Opens the database, which must have this version's schema. */
export const withSchema: typeof withDatabase = (env, names, work) =>
  withDatabase(env, names, async (database, config) => {
    const { countPendingMigrations } = await import('../src/database/migrate.ts')
    if ((await countPendingMigrations(database.db)) > 0) {
      throw new CommandError('The database schema is not up to date: run "gatehouse migrate" first')
    }
    return work(database, config)
  })
