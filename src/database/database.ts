import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type * as schema from './schema/index.ts'

/** What queries are made with: the database or a transaction in it, on PostgreSQL or embedded. */
export type Db = PgDatabase<PgQueryResultHKT, typeof schema>

/** What becomes of a subscription to notifications. */
export interface Listener {
  onNotification: (payload: string) => void
  /** Notifications arrive from now on; those from before may have been missed. */
  onListening: () => void
  /** None arrive until `onListening` is called again: it is being tried. */
  onLost: () => void
}

/** An open database. */
export interface Database {
  db: Db
  /** Runs `work` while no other instance on this database runs any: what one does for all at start. */
  exclusively: <T>(work: () => Promise<T>) => Promise<T>
  /** Applies the migrations that are missing, without the deadlines of ordinary queries. */
  migrate: (migrationsFolder: string) => Promise<void>
  /** Subscribes to what is sent by `pg_notify` on a channel, and resubscribes for as long as it takes. */
  listen: (channel: string, listener: Listener) => Promise<{ close: () => Promise<void> }>
  close: () => Promise<void>
}
