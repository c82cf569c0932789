import type { Db } from '../../database/database.ts'
import type { Page } from '../../database/pagination.ts'
import { InvalidInput, Problem } from '../../errors.ts'
import type { Mechanisms } from '../../mechanisms.ts'
import type { Origin } from '../../origin.ts'
import { requireActor } from '../../repositories/actors.ts'
import { type AuditEventType, recordEvent } from '../../repositories/audit-events.ts'
import {
  type ClientQuery,
  type ClientRow,
  type ClientWithSecrets,
  countSecrets,
  deleteClient as removeClient,
  deleteSecret,
  findClient,
  insertClient,
  insertSecret,
  listClients as listClientRows,
  lockClient,
  type SecretRow,
  updateClient as writeClient
} from '../../repositories/clients.ts'
import type { Revocation } from '../../repositories/revocations.ts'
import { ofSessions } from '../../revocation/transaction.ts'
import { namedColumns, type RoleColumns, listRoles } from '../../roles.ts'
import { type Authority, type ClientScope, defaultScopes, refuseMoreThan, scopesIn, listWords } from '../../scopes.ts'
import { digestSecret, generateSecret } from '../../tokens/client-secret.ts'

export interface NewClient extends Partial<RoleColumns> {
  name: string
  scopes?: ClientScope[]
}

/** Absent properties stay as they are. */
export interface ClientChange extends Partial<NewClient> {
  isDisabled?: boolean
}

/** A secret in the clear, which is shown this once. */
export interface Shown {
  clientSecret: string
}

/** One in use, and one to change over to. */
export const maxSecrets = 2

/**
 * Creates a client with its first secret; without a role unless it is given one.
 * @throws {InvalidInput}
 * @throws {Problem} `permission_denied` for more than the caller has
 */
export const createClient =
  ({ db }: Mechanisms) =>
  async ({ name, scopes, ...roles }: NewClient, origin: Origin): Promise<ClientWithSecrets & Shown> => {
    checkName(name)
    return db.transaction(async (tx) => {
      await requireActor(tx, origin)
      const row = { name, ...namedColumns(roles), scopes: [...scopesIn(scopes ?? defaultScopes)] }
      const client = await insertClient(tx, row)
      refuseMoreThan(origin.scopes, toAuthority(client))
      const { clientSecret, ...secret } = await createSecret(tx, client.id)
      const details = { name, roles: listRoles(client), ...(scopes !== undefined && { scopes: client.scopes }) }
      await record(tx, origin, 'client.created', client.id, details)
      return { ...client, secrets: [secret], clientSecret }
    })
  }

/** A page, in the order of creation. @throws {InvalidInput} for a cursor of another list */
export const listClients =
  ({ db }: Mechanisms) =>
  (query: ClientQuery): Promise<Page<ClientWithSecrets>> =>
    listClientRows(db, query)

/** @throws {Problem} `not_found` */
export const getClient =
  ({ db }: Mechanisms) =>
  (id: string): Promise<ClientWithSecrets> =>
    requireClient(db, id)

/**
 * Changes a client. Access tokens from before a change of roles or scopes, or from before it was disabled, are revoked.
 * @throws {InvalidInput}
 * @throws {Problem} `not_found`, or `permission_denied` for more than the caller has
 */
export const updateClient =
  (mechanisms: Mechanisms) =>
  async (id: string, change: ClientChange, origin: Origin): Promise<ClientWithSecrets> => {
    if (change.name !== undefined) checkName(change.name)
    return changing(mechanisms, id, origin, async (tx, revoked, client) => {
      const { name = client.name, isDisabled = client.isDisabled, scopes: named, ...flags } = change
      const scopes = named === undefined ? client.scopes : [...scopesIn(named)]
      const after = toAuthority({ ...client, ...namedColumns(flags), scopes })
      refuseMoreThan(origin.scopes, after)
      const [had, has] = [listWords(toAuthority(client)), listWords(after)]
      const granted = has.filter((word) => !had.includes(word))
      const withdrawn = had.filter((word) => !has.includes(word))
      const rolesChange = granted.length + withdrawn.length > 0
      const revokesTokens = rolesChange || (isDisabled && !client.isDisabled)
      const version = revokesTokens ? client.version + 1 : client.version
      await writeClient(tx, client, { name, isDisabled, version, scopes, ...namedColumns(flags) })
      if (name !== client.name) await record(tx, origin, 'client.updated', id, { changed: ['name'] })
      if (rolesChange) await record(tx, origin, 'client.roles_changed', id, { granted, withdrawn })
      if (isDisabled !== client.isDisabled) {
        await record(tx, origin, isDisabled ? 'client.disabled' : 'client.enabled', id)
      }
      if (revokesTokens) revoked.push({ clientId: id, version })
      return requireClient(tx, id)
    })
  }

/** @throws {Problem} `not_found` */
export const deleteClient =
  (mechanisms: Mechanisms) =>
  (id: string, origin: Origin): Promise<void> =>
    changing(mechanisms, id, origin, async (tx, revoked, client) => {
      await removeClient(tx, client)
      await record(tx, origin, 'client.deleted', id, { name: client.name })
      revoked.push({ clientId: id, version: client.version + 1 })
    })

/** Adds a secret beside the one in use. @throws {Problem} `not_found`, `too_many_secrets` */
export const addClientSecret =
  (mechanisms: Mechanisms) =>
  (id: string, origin: Origin): Promise<SecretRow & Shown> =>
    changing(mechanisms, id, origin, async (tx) => {
      if ((await countSecrets(tx, id)) >= maxSecrets) throw new Problem('too_many_secrets')
      const secret = await createSecret(tx, id)
      await record(tx, origin, 'client.secret_created', id, { secret_id: secret.id })
      return secret
    })

/** Ends a secret, and the access tokens that it brought. @throws {Problem} `not_found` */
export const endClientSecret =
  (mechanisms: Mechanisms) =>
  (id: string, secretId: string, origin: Origin): Promise<void> =>
    changing(mechanisms, id, origin, async (tx, revoked) => {
      if (!(await deleteSecret(tx, id, secretId))) throw new Problem('not_found')
      await record(tx, origin, 'client.secret_ended', id, { secret_id: secretId })
      revoked.push(...ofSessions([secretId]))
    })

/**
 * Runs a transaction on a client that no other changes meanwhile. A caller with scopes alone changes none that may do
 * more than the caller: with a new secret of that client it would have all that.
 */
function changing<T>(
  { revoking }: Mechanisms,
  id: string,
  origin: Origin,
  work: (tx: Db, revoked: Revocation[], client: ClientRow) => Promise<T>
): Promise<T> {
  return revoking(async (tx, revoked) => {
    const client = await lockClient(tx, id)
    if (client === undefined) throw new Problem('not_found')
    await requireActor(tx, origin)
    refuseMoreThan(origin.scopes, toAuthority(client))
    return work(tx, revoked, client)
  })
}

async function requireClient(db: Db, id: string): Promise<ClientWithSecrets> {
  const client = await findClient(db, id)
  if (client === undefined) throw new Problem('not_found')
  return client
}

const toAuthority = (client: ClientRow): Authority => ({
  roles: new Set(listRoles(client)),
  scopes: scopesIn(client.scopes)
})

async function createSecret(db: Db, clientId: string): Promise<SecretRow & Shown> {
  const clientSecret = generateSecret()
  return { ...(await insertSecret(db, clientId, digestSecret(clientSecret))), clientSecret }
}

const record = (db: Db, origin: Origin, type: AuditEventType, clientId: string, details: object = {}) =>
  recordEvent(db, origin, { type, details: { client_id: clientId, ...details } })

export const maxNameLength = 100

function checkName(name: string): void {
  if (name.isWellFormed() && new RegExp(`^\\P{Cc}{1,${String(maxNameLength)}}$`, 'u').test(name)) return
  const message = `must have 1 to ${String(maxNameLength)} characters, none of them a control character`
  throw new InvalidInput({ field: 'name', message })
}
