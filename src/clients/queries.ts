import { and, eq, notExists, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { clients, clientSecrets, revocations } from '../database/schema/index.ts'
import type { ClientPrincipal } from '../tokens/claims.ts'

export type ClientRow = typeof clients.$inferSelect

/** Whether a client's token still holds: its client is as it was, its secret is there, and nobody revoked it. */
export async function isHeldByClient(
  db: Db,
  { clientId, sessionId, version, claims }: ClientPrincipal
): Promise<boolean> {
  const revoked = db
    .select({ one: sql`1` })
    .from(revocations)
    .where(eq(revocations.sessionId, claims.jti))
  const rows = await db
    .select({ id: clients.id })
    .from(clients)
    .innerJoin(clientSecrets, and(eq(clientSecrets.clientId, clients.id), eq(clientSecrets.id, sessionId)))
    .where(
      and(eq(clients.id, clientId), eq(clients.version, version), eq(clients.isDisabled, false), notExists(revoked))
    )
  return rows.length > 0
}
