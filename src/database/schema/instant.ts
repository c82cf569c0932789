import { timestamp } from 'drizzle-orm/pg-core'

/** A moment, by the database's clock. */
export const instant = (name: string) => timestamp(name, { withTimezone: true })
