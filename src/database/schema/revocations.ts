import { bigint, index, integer, pgTable, uuid } from 'drizzle-orm/pg-core'
import { instant } from './instant.ts'

/** Access tokens that are void before they expire: of a session, or of a user or a client up to a version. Kept as long as a token can live. */
export const revocations = pgTable(
  'revocations',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    sessionId: uuid('session_id'),
    userId: integer('user_id'),
    clientId: uuid('client_id'),
    /** The first version of the user or client whose tokens are good again. */
    version: integer(),
    createdAt: instant('created_at').notNull().defaultNow()
  },
  (table) => [index('revocations_created_at').on(table.createdAt)]
)
