import { bigint, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './instant.ts'

/** What happened, written in the transaction that made it so. No foreign keys: it outlives whom it speaks of. */
export const auditEvents = pgTable(
  'audit_events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    type: text().notNull(),
    actorId: integer('actor_id'),
    userId: integer('user_id'),
    ip: text(),
    userAgent: text('user_agent'),
    requestId: text('request_id'),
    details: jsonb().notNull().default({}),
    createdAt: instant('created_at').notNull().defaultNow()
  },
  (table) => [
    index('audit_events_created_at').on(table.createdAt),
    index('audit_events_type').on(table.type, table.createdAt),
    index('audit_events_user_id').on(table.userId, table.createdAt)
  ]
)
