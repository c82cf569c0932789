import { bigint, index, integer, jsonb, pgTable, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { accountTokens } from './account-tokens.ts'
import { instant } from './instant.ts'
import { users } from './users.ts'

/**
 * Mail of instances of version 0.1. They may run beside this version during an upgrade; what they leave behind becomes jobs
 * (`adoptOutbox`). A later version drops the table.
 */
export const outbox = pgTable(
  'outbox',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    userId: integer('user_id').references(() => users.id, { onDelete: 'cascade' }),
    /** The token that the mail's link is made of, when it is sent. */
    tokenId: uuid('token_id').references(() => accountTokens.id, { onDelete: 'cascade' }),
    recipient: text().notNull(),
    template: text().notNull(),
    language: text().notNull(),
    variables: jsonb().$type<Record<string, string>>().notNull().default({}),
    /** Lower goes first: what somebody waits for before what they are merely told. */
    priority: smallint().notNull().default(1),
    attempts: integer().notNull().default(0),
    nextAttemptAt: instant('next_attempt_at').notNull().defaultNow(),
    createdAt: instant('created_at').notNull().defaultNow()
  },
  (table) => [
    index('outbox_priority_next_attempt_at').on(table.priority, table.nextAttemptAt),
    index('outbox_user_id').on(table.userId),
    index('outbox_token_id').on(table.tokenId)
  ]
)
