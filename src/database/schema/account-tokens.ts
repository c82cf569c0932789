import { sql } from 'drizzle-orm'
import { index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { instant } from './instant.ts'
import { users } from './users.ts'

/**
 * Links that were mailed, until they are used. A token is the row's id and a MAC of it under a key that is not in the
 * database, so that there is nothing here to be turned into one.
 */
export const accountTokens = pgTable(
  'account_tokens',
  {
    id: uuid().primaryKey().defaultRandom(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** What the link does: see `Purpose` in src/repositories/email-links.ts. */
    purpose: text().notNull(),
    /** The address that the link is about, where it is not the user's own: the one to return to. */
    email: text(),
    /** The state it was made in: a token for another address or an older password is none. */
    emailKey: text('email_key').notNull(),
    passwordVersion: integer('password_version').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    expiresAt: instant('expires_at').notNull()
  },
  (table) => [
    index('account_tokens_user_id').on(table.userId),
    index('account_tokens_expires_at').on(table.expiresAt),
    // Addresses that their former owner may still return to.
    index('account_tokens_undo')
      .on(table.emailKey)
      .where(sql`${table.purpose} = 'email_undo'`)
  ]
)
