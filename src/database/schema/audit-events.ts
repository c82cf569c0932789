import { sql } from 'drizzle-orm'
import { bigint, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { instant } from './instant.ts'

/** What happened, written in the transaction that made it so. No foreign keys: events outlive their subjects. */
export const auditEvents = pgTable(
  'audit_events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    type: text().notNull(),
    actorId: integer('actor_id'),
    /** The service client that did it, where it was none of the users. */
    actorClientId: uuid('actor_client_id'),
    userId: integer('user_id'),
    ip: text(),
    userAgent: text('user_agent'),
    requestId: text('request_id'),
    details: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    createdAt: instant('created_at').notNull().defaultNow()
  },
  (table) => [
    index('audit_events_created_at_id').on(table.createdAt, table.id),
    index('audit_events_type_created_at_id').on(table.type, table.createdAt, table.id),
    index('audit_events_user_id_created_at_id').on(table.userId, table.createdAt, table.id),
    index('audit_events_actor_id')
      .on(table.actorId)
      .where(sql`${table.actorId} is distinct from ${table.userId}`)
  ]
)
