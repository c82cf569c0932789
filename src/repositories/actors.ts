import { and, eq } from 'drizzle-orm'
import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import { clients, clientSecrets, sessions, users } from '../database/schema/index.ts'
import { Problem } from '../errors.ts'

/**
 * Holds the actor of a change to what they were when their request was let in. The request may be older than that: its
 * body may have taken its time, and the actor's session, roles or account may have ended meanwhile. Their rows stay as they
 * are until the transaction ends, so that of two administrators who end each other the second fails. To be called after
 * the rows that are to be changed are locked; an operator on the command line is no actor in this sense.
 * @throws {Problem} `token_revoked`
 */
export async function requireActor(tx: Db, { actor }: Origin): Promise<void> {
  if (actor === undefined) return
  const { sessionId, version } = actor
  const rows =
    actor.kind === 'user'
      ? await tx
          .select({ id: users.id })
          .from(users)
          .innerJoin(sessions, and(eq(sessions.id, sessionId), eq(sessions.userId, users.id)))
          .where(and(eq(users.id, actor.userId), eq(users.version, version), eq(users.isDisabled, false)))
          .for('share')
      : await tx
          .select({ id: clients.id })
          .from(clients)
          .innerJoin(clientSecrets, and(eq(clientSecrets.id, sessionId), eq(clientSecrets.clientId, clients.id)))
          .where(and(eq(clients.id, actor.clientId), eq(clients.version, version), eq(clients.isDisabled, false)))
          .for('share')
  if (rows.length === 0) throw new Problem('token_revoked')
}
