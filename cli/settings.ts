import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import type { Config } from '../src/config/config.ts'
import type { Database } from '../src/database/database.ts'
import type { Services } from '../src/services.ts'
import { CommandError } from './command-error.ts'

/** Takes what .env in the working directory says, except what is set already. */
export function loadSettingsFile(): void {
  if (!existsSync('.env')) return
  for (const [name, value] of Object.entries(parseEnv(readSettingsFile()))) process.env[name] ??= value
}

function readSettingsFile(): string {
  try {
    // Without the byte order mark that some editors begin a file with.
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync('.env'))
  } catch (error) {
    const place = `.env in ${process.cwd()}`
    if (error instanceof TypeError) throw new CommandError(`Cannot read ${place}: save it as UTF-8`)
    throw new CommandError(`Cannot read ${place}: check that it is a file that this user may read`)
  }
}

const forDatabase = ['NODE_ENV', 'DATABASE_URL', 'DATABASE_PASSWORD', 'DATABASE_POOL_SIZE']

/**
 * Reads the settings that a command needs and no others: a job that migrates has no need of an issuer.
 * @throws {ConfigError}
 */
export async function readSettings(env: NodeJS.ProcessEnv, names: string[]): Promise<Config> {
  const { readConfig } = await import('../src/config/config.ts')
  return readConfig(env, names)
}

/**
 * Opens the database for the time of `work`. `names` are the settings that `work` needs beside the database's.
 * @param absent whether an embedded database that is not there is made
 */
export async function withDatabase<T>(
  env: NodeJS.ProcessEnv,
  names: string[],
  absent: 'make' | 'refuse',
  work: (database: Database, config: Config) => Promise<T>
): Promise<T> {
  const config = await readSettings(env, [...forDatabase, ...names])
  const { openDatabase } = await import('../src/database/open.ts')
  const database = await openDatabase(config.database, absent)
  try {
    return await work(database, config)
  } finally {
    await database.close()
  }
}

/** Opens the database, which must be there and have this version's schema. */
export const withSchema = <T>(
  env: NodeJS.ProcessEnv,
  names: string[],
  work: (database: Database, config: Config) => Promise<T>
): Promise<T> =>
  withDatabase(env, names, 'refuse', async (database, config) => {
    const { countPendingMigrations } = await import('../src/database/migrate.ts')
    if ((await countPendingMigrations(database.db)) > 0) {
      throw new CommandError('The database schema is not up to date: run "gatehouse migrate" first')
    }
    return work(database, config)
  })

const forOperations = [
  ...['ARGON2_MEMORY_KIB', 'ARGON2_ITERATIONS', 'ARGON2_PARALLELISM', 'PASSWORD_MIN_LENGTH'],
  ...['REFRESH_TOKEN_EXPIRE_DAYS', 'SESSION_MAX_DAYS']
]

/** The operations of the service, as an operator runs them: on the database, without keys or limits. */
export const withServices = <T>(env: NodeJS.ProcessEnv, work: (services: Services) => Promise<T>): Promise<T> =>
  withSchema(env, forOperations, async ({ db }, config) => {
    const { createHasher } = await import('../src/passwords/hasher.ts')
    const { createServices } = await import('../src/services.ts')
    const passwords = createHasher(config.argon2)
    // Not by readSettings, which would ask for the mail server that this needs in production.
    const requireVerifiedEmail = env.REQUIRE_VERIFIED_EMAIL === 'on'
    try {
      return await work(createServices({ config: { ...config, requireVerifiedEmail }, db, passwords }))
    } finally {
      await passwords.close()
    }
  })
