import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { bigint, pgSchema, text } from 'drizzle-orm/pg-core'
import { packageFolder } from '../package-folder.ts'
import type { Database, Db } from './database.ts'

const migrationsFolder = join(packageFolder, 'migrations')

/** drizzle-kit's own journal in the database. */
const journal = pgSchema('drizzle').table('__drizzle_migrations', {
  hash: text().notNull(),
  createdAt: bigint('created_at', { mode: 'number' })
})

/** How many of this version's migrations the database has not seen. */
export async function countPendingMigrations(db: Db): Promise<number> {
  const known = readMigrationFiles({ migrationsFolder })
  const [exists] = await db
    .select({ exists: sql<boolean>`to_regclass('drizzle.__drizzle_migrations') is not null` })
    .from(sql`(values (1)) as one`)
  if (exists?.exists !== true) return known.length
  const [last] = await db.select({ createdAt: sql<string | null>`max(${journal.createdAt})` }).from(journal)
  return known.filter((migration) => migration.folderMillis > Number(last?.createdAt ?? 0)).length
}

/**
 * Brings the schema up to date and says how many migrations that took. Takes no lock: call it within `exclusively`.
 * A database that is up to date is not written to, so that a role without DDL rights can serve.
 */
export async function applyMigrations(database: Database): Promise<number> {
  const pending = await countPendingMigrations(database.db)
  if (pending > 0) await database.migrate(migrationsFolder)
  return pending
}
