import { index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { instant } from './instant.ts'
import { users } from './users.ts'

/** One session, one row, from login to logout. */
export const sessions = pgTable(
  'sessions',
  {
    id: uuid().primaryKey().defaultRandom(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** How often the refresh token was rotated. */
    refreshCounter: integer('refresh_counter').notNull().default(0),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** When the refresh token was last rotated: the reuse interval counts from here. */
    rotatedAt: instant('rotated_at'),
    lastUsedAt: instant('last_used_at').notNull().defaultNow(),
    /** The absolute limit; the idle limit counts from `last_used_at`. */
    expiresAt: instant('expires_at').notNull(),
    /** A midnight after which neither limit can still hold. It changes once a day at most, so that the index does not slow rotation. */
    sweepAfter: instant('sweep_after').notNull(),
    /** When the user last proved who they are; at login where it is null. */
    authTime: instant('auth_time'),
    /** How they did (RFC 8176); by password where it is null. */
    amr: text().array(),
    /** The counter of a refresh token whose use was answered with 503, for which the interval does not count. */
    unansweredCounter: integer('unanswered_counter'),
    ip: text(),
    userAgent: text('user_agent')
  },
  (table) => [index('sessions_user_id').on(table.userId), index('sessions_sweep_after').on(table.sweepAfter)]
)
