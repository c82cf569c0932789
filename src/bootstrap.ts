import { type Config, ConfigError } from './config/config.ts'
import type { Database } from './database/database.ts'
import { applyMigrations } from './database/migrate.ts'
import { Problem } from './errors.ts'
import type { Hasher } from './passwords/hasher.ts'
import { generateMissingKeys } from './keys/key-files.ts'
import { createRevokingTransaction } from './revocation/transaction.ts'
import { createFindUserOfToken } from './repositories/users-by-token.ts'
import { findAdmin } from './repositories/users.ts'
import { createUsers } from './users/service.ts'

/** What the preparation did, for the log. */
export interface Preparation {
  migrations: number
  generatedKeys: string[]
  bootstrappedAdmin: string | undefined
}

/**
 * What one instance does for all that start on the same database: the schema, the first key, the first administrator.
 * @throws {ConfigError} where the bootstrap administrator's name or password is refused
 */
export function prepare(config: Config, database: Database, passwords: Hasher): Promise<Preparation> {
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
  if (config.bootstrapAdmin === undefined || (await findAdmin(db, config.bootstrapAdmin)) !== undefined)
    return undefined
  const inRevokingTransaction = createRevokingTransaction(db)
  const users = createUsers({
    db,
    passwords,
    findUserOfToken: createFindUserOfToken(db, config.session),
    passwordPolicy: { minLength: config.passwordMinLength },
    inRevokingTransaction
  })
  try {
    return (await users.create(config.bootstrapAdmin, {}, ['reader', 'admin'])).username
  } catch (error) {
    throw error instanceof Problem ? new ConfigError(faultsOfSettings(error)) : error
  }
}

/** What is wrong with the administrator, by the names of the settings that say who it is. */
function faultsOfSettings({ code, message, faults = [] }: Problem): string[] {
  if (code === 'username_taken' || code === 'email_taken') {
    return [
      `BOOTSTRAP_ADMIN_${code === 'email_taken' ? 'EMAIL' : 'USERNAME'}: ${message}, and is no administrator: grant the role with "gatehouse users grant", or name another`
    ]
  }
  if (faults.length === 0) return [`BOOTSTRAP_ADMIN: ${message}`]
  return faults.map(({ path, message }) => `BOOTSTRAP_ADMIN_${path.replace('/body/', '').toUpperCase()} ${message}`)
}
