import { and, asc, count, eq, gt, inArray, notExists, sql } from 'drizzle-orm'
import { decodeCursor, fromMicroseconds, isMoment, toMicroseconds, type Page, toPage } from '../database/pagination.ts'
import type { Db } from '../database/database.ts'
import { onlyRow } from '../database/rows.ts'
import { secondsAgo } from '../database/time.ts'
import type { RoleColumns } from '../roles.ts'
import { clients, clientSecrets, revocations } from '../database/schema/index.ts'
import { isUuid } from '../ids.ts'

export type ClientRow = typeof clients.$inferSelect

/** A secret as its client's administrators see it: never its digest. */
export type SecretRow = Omit<typeof clientSecrets.$inferSelect, 'clientId' | 'digest'>

const secretColumns = { id: clientSecrets.id, createdAt: clientSecrets.createdAt, lastUsedAt: clientSecrets.lastUsedAt }

export type ClientWithSecrets = ClientRow & { secrets: SecretRow[] }

/** What of a client's token, or of its authentication, can be looked up. */
export interface ClientReference {
  clientId: string
  /** Of the secret. */
  sessionId: string
  version: number
  /** Of a token: its `jti`. */
  tokenId?: string | undefined
}

/**
 * Whether a client's token, or its secret, still holds: the client is as it was, the secret is there, and nobody revoked the token.
 * @param window seconds within which a token that is alive must have been revoked
 */
export async function isHeldByClient(
  db: Db,
  { clientId, sessionId: secretId, version, tokenId }: ClientReference,
  window: number
): Promise<boolean> {
  const revoked = db
    .select({ one: sql`1` })
    .from(revocations)
    .where(and(eq(revocations.sessionId, tokenId ?? secretId), gt(revocations.createdAt, secondsAgo(window))))
  const rows = await db
    .select({ id: clients.id })
    .from(clients)
    .innerJoin(clientSecrets, and(eq(clientSecrets.clientId, clients.id), eq(clientSecrets.id, secretId)))
    .where(
      and(eq(clients.id, clientId), eq(clients.version, version), eq(clients.isDisabled, false), notExists(revoked))
    )
  return rows.length > 0
}

/** The enabled client that has this secret; undefined whatever of the two is wrong. */
export type FindClientBySecret = (
  clientId: string,
  digest: string
) => Promise<{ client: ClientRow; secretId: string } | undefined>

/** One statement finds the client and marks the use of its secret, which it writes at most once a minute. */
export function prepareFindClientBySecret(db: Db): FindClientBySecret {
  const marked = db.$with('marked').as(
    db
      .update(clientSecrets)
      .set({ lastUsedAt: sql`now()` })
      .from(clients)
      .where(
        and(
          eq(clientSecrets.digest, sql.placeholder('digest')),
          eq(clientSecrets.clientId, sql.placeholder('clientId')),
          eq(clients.id, clientSecrets.clientId),
          eq(clients.isDisabled, false),
          sql`coalesce(${clientSecrets.lastUsedAt} < now() - interval '1 minute', true)`
        )
      )
      .returning({ id: clientSecrets.id })
  )
  const statement = db
    .with(marked)
    .select({ client: clients, secretId: clientSecrets.id })
    .from(clientSecrets)
    .innerJoin(clients, eq(clients.id, clientSecrets.clientId))
    .where(
      and(
        eq(clientSecrets.digest, sql.placeholder('digest')),
        eq(clients.id, sql.placeholder('clientId')),
        eq(clients.isDisabled, false)
      )
    )
    .prepare('find_client_by_secret')

  return async (clientId, digest) => {
    const [row] = await statement.execute({ clientId, digest })
    return row
  }
}

export async function insertClient(db: Db, client: typeof clients.$inferInsert): Promise<ClientRow> {
  return onlyRow(await db.insert(clients).values(client).returning())
}

export async function findClient(db: Db, id: string): Promise<ClientWithSecrets | undefined> {
  const [client] = await db.select().from(clients).where(eq(clients.id, id))
  return client && (await withSecrets(db, [client]))[0]
}

/** Locked until the transaction ends, so that changes of one client come one after the other. */
export async function lockClient(db: Db, id: string): Promise<ClientRow | undefined> {
  const [client] = await db.select().from(clients).where(eq(clients.id, id)).for('update')
  return client
}

export interface ClientQuery {
  limit: number
  cursor?: string | undefined
}

const list = 'clients'

/** @throws {InvalidInput} for a cursor of another list */
export async function listClients(db: Db, { limit, cursor }: ClientQuery): Promise<Page<ClientWithSecrets>> {
  const after = cursor === undefined ? undefined : decodeCursor(list, cursor, isMoment(isUuid))
  const rows = await db
    .select({ item: clients, microseconds: toMicroseconds(clients.createdAt) })
    .from(clients)
    .where(after && sql`(${clients.createdAt}, ${clients.id}) > (${fromMicroseconds(after[0])}, ${after[1]}::uuid)`)
    .orderBy(asc(clients.createdAt), asc(clients.id))
    .limit(limit + 1)
  const page = toPage(list, rows, limit)
  return { ...page, items: await withSecrets(db, page.items) }
}

async function withSecrets(db: Db, found: ClientRow[]): Promise<ClientWithSecrets[]> {
  const ids = found.map(({ id }) => id)
  const rows = await db
    .select({ clientId: clientSecrets.clientId, secret: secretColumns })
    .from(clientSecrets)
    .where(inArray(clientSecrets.clientId, ids))
    .orderBy(asc(clientSecrets.createdAt), asc(clientSecrets.id))
  return found.map((client) => ({
    ...client,
    secrets: rows.filter(({ clientId }) => clientId === client.id).map(({ secret }) => secret)
  }))
}

export async function updateClient(
  db: Db,
  { id }: Pick<ClientRow, 'id'>,
  change: Partial<Pick<ClientRow, 'name' | 'scopes' | 'isDisabled' | 'version'> & RoleColumns>
): Promise<void> {
  await db
    .update(clients)
    .set({ ...change, updatedAt: sql`now()` })
    .where(eq(clients.id, id))
}

export async function deleteClient(db: Db, { id }: Pick<ClientRow, 'id'>): Promise<void> {
  await db.delete(clients).where(eq(clients.id, id))
}

export async function countSecrets(db: Db, clientId: string): Promise<number> {
  const [row] = await db.select({ secrets: count() }).from(clientSecrets).where(eq(clientSecrets.clientId, clientId))
  return row?.secrets ?? 0
}

export async function insertSecret(db: Db, clientId: string, digest: string): Promise<SecretRow> {
  return onlyRow(await db.insert(clientSecrets).values({ clientId, digest }).returning(secretColumns))
}

/** @returns whether the client had it */
export async function deleteSecret(db: Db, clientId: string, id: string): Promise<boolean> {
  const rows = await db
    .delete(clientSecrets)
    .where(and(eq(clientSecrets.clientId, clientId), eq(clientSecrets.id, id)))
    .returning({ id: clientSecrets.id })
  return rows.length > 0
}
