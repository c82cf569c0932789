import { type Config, ConfigError } from './config/config.ts'
import type { Database } from './database/database.ts'
import { applyMigrations } from './database/migrate.ts'
import { InvalidInput, Problem } from './errors.ts'
import { generateMissingKeys } from './keys/key-files.ts'
import type { Hasher } from './passwords/hasher.ts'
import { findAdmin } from './repositories/users.ts'
import { createServices } from './services.ts'

/** What the bootstrap did, for the log. */
export interface Bootstrap {
  migrations: number
  generatedKeys: string[]
  bootstrappedAdmin: string | undefined
}

/**
 * What one instance does for all that start on the same database: the schema, the first key, the first administrator.
 * @throws {ConfigError} where the bootstrap administrator's name or password is refused
 */
export function bootstrap(config: Config, database: Database, passwords: Hasher): Promise<Bootstrap> {
  return database.exclusively(async () => ({
    migrations: await applyMigrations(database),
    generatedKeys: await ensureKeys(config),
    bootstrappedAdmin: await ensureAdmin(config, database, passwords)
  }))
}

/** In production an operator makes the keys: one that appears by itself there would hide that a folder was not mounted. */
async function ensureKeys({ keys, production }: Config): Promise<string[]> {
  return production || !('dir' in keys) ? [] : generateMissingKeys(keys.dir)
}

async function ensureAdmin(config: Config, { db }: Database, passwords: Hasher): Promise<string | undefined> {
  const { bootstrapAdmin } = config
  if (bootstrapAdmin === undefined || (await findAdmin(db, bootstrapAdmin)) !== undefined) return undefined
  const { createUser } = createServices({ config, db, passwords })
  try {
    return (await createUser(bootstrapAdmin, {}, ['reader', 'admin'])).username
  } catch (error) {
    throw inSettings(error)
  }
}

/** What is wrong with the administrator, by the names of the settings that say who it is. */
function inSettings(error: unknown): unknown {
  if (error instanceof InvalidInput) {
    return new ConfigError(
      error.faults.map(({ field, message }) => `BOOTSTRAP_ADMIN_${field.toUpperCase()} ${message}`)
    )
  }
  if (!(error instanceof Problem)) return error
  const { code, message } = error
  if (code !== 'username_taken' && code !== 'email_taken') return new ConfigError([`BOOTSTRAP_ADMIN: ${message}`])
  const setting = `BOOTSTRAP_ADMIN_${code === 'email_taken' ? 'EMAIL' : 'USERNAME'}`
  return new ConfigError([
    `${setting}: ${message}, and is no administrator: grant the role with "gatehouse users grant", or name another`
  ])
}
