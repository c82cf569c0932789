import { index, integer, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './instant.ts'

/** What rate-limiter-flexible counts, for all instances together; the columns are named as it wants them. */
export const rateLimits = pgTable(
  'rate_limits',
  { key: text().primaryKey(), points: integer().notNull().default(0), expire: instant('expire') },
  (table) => [index('rate_limits_expire').on(table.expire)]
)
