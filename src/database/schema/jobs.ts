import { bigint, index, integer, jsonb, pgTable, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { accountTokens } from './account-tokens.ts'
import { instant } from './instant.ts'
import { users } from './users.ts'

/** Work to be done after the transaction that asks for it; the row of a finished job is deleted. */
export const jobs = pgTable(
  'jobs',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    /** Names the handler. */
    kind: text().notNull(),
    /** For the handler alone. Never a token or a password. */
    payload: jsonb().$type<Record<string, unknown>>().notNull(),
    /** The user that the job concerns: it is deleted with them. */
    userId: integer('user_id').references(() => users.id, { onDelete: 'cascade' }),
    /** The link that the job sends: it is deleted with it, and is void once the link has expired. */
    linkId: uuid('link_id').references(() => accountTokens.id, { onDelete: 'cascade' }),
    /** Lower goes first. */
    priority: smallint().notNull(),
    attempts: integer().notNull().default(0),
    /** When it may next be taken. While an instance works on it, this is the end of its lease. */
    dueAt: instant('due_at').notNull().defaultNow(),
    createdAt: instant('created_at').notNull().defaultNow()
  },
  (table) => [
    index('jobs_kind_priority_due_at').on(table.kind, table.priority, table.dueAt),
    index('jobs_kind_id').on(table.kind, table.id),
    index('jobs_user_id').on(table.userId),
    index('jobs_link_id').on(table.linkId)
  ]
)
