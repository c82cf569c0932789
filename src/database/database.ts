import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type * as schema from './schema/index.ts'

/** What queries are made with: the database or a transaction in it, on PostgreSQL or embedded. */
export type Db = PgDatabase<PgQueryResultHKT, typeof schema>

/** An open database. */
export interface Database {
  db: Db
  /** Runs `work` while no other instance on this database runs any: what one does for all at start. */
  exclusively: <T>(work: () => Promise<T>) => Promise<T>
  /** Applies the migrations that are missing, without the deadlines of ordinary queries. */
  migrate: (migrationsFolder: string) => Promise<void>
  close: () => Promise<void>
}
