import { sql } from 'drizzle-orm'
import { boolean, index, integer, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { instant } from './instant.ts'
import { clientRoles } from './roles.ts'

/** Services that call in their own name. */
export const clients = pgTable('clients', {
  id: uuid().primaryKey().defaultRandom(),
  name: text().notNull(),
  ...clientRoles,
  /** What it may do beside what its roles allow: see src/scopes.ts. */
  scopes: text()
    .array()
    .notNull()
    .default(sql`'{introspect}'`),
  isDisabled: boolean('is_disabled').notNull().default(false),
  /** Counts the changes that make older access tokens void: roles, disabling. */
  version: integer().notNull().default(1),
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow()
})

/** What a client proves itself with: of 256 random bits, so that a plain digest keeps them safe (ASVS 6.5.2). */
export const clientSecrets = pgTable(
  'client_secrets',
  {
    id: uuid().primaryKey().defaultRandom(),
    clientId: uuid('client_id')
      .notNull()
      .references(() => clients.id, { onDelete: 'cascade' }),
    /** SHA-256, base64url. */
    digest: text().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    lastUsedAt: instant('last_used_at')
  },
  (table) => [
    uniqueIndex('client_secrets_digest').on(table.digest),
    index('client_secrets_client_id').on(table.clientId)
  ]
)
