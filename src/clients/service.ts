import { type AuditEventType, recordEvent } from '../repositories/audit-events.ts'
import type { Origin } from '../origin.ts'
import type { Page } from '../database/pagination.ts'
import type { Db } from '../database/database.ts'
import { Problem } from '../errors.ts'
import { requireActor } from '../repositories/actors.ts'
import type { Revocation } from '../repositories/revocations.ts'
import { type InRevokingTransaction, ofSessions } from '../revocation/transaction.ts'
import { flagsOf, type RoleFlags, rolesOf } from '../roles.ts'
import type { ClientPrincipal } from '../tokens/claims.ts'
import {
  type ClientQuery,
  type ClientRow,
  type ClientWithSecrets,
  countSecrets,
  deleteClient,
  deleteSecret,
  findClient,
  insertClient,
  insertSecret,
  listClients,
  lockClient,
  type SecretRow,
  updateClient
} from '../repositories/clients.ts'
import { type Authority, type ClientScope, defaultScopes, refuseMoreThan, scopesIn, wordsOf } from '../scopes.ts'
import { digestOf, generateSecret } from '../tokens/client-secret.ts'

export interface NewClient extends Partial<RoleFlags> {
  name: string
  scopes?: ClientScope[]
}

/** Absent properties stay as they are. */
export interface ClientChange extends Partial<NewClient> {
  is_disabled?: boolean
}

/** A secret in the clear, which is seen this once. */
export interface Shown {
  clientSecret: string
}

export interface ClientsOptions {
  db: Db
  inRevokingTransaction: InRevokingTransaction
}

export type Clients = ReturnType<typeof createClients>

/** One in use, and one to change over to. */
export const mostSecrets = 2

/** The services that call in their own name, as their administrators see them. */
export function createClients({ db, inRevokingTransaction }: ClientsOptions) {
  return {
    /**
     * Creates a client with its first secret; without a role unless it is given one.
     * @throws {Problem} `validation_failed`, or `permission_denied` for more than the caller has
     */
    async create({ name, scopes, ...roles }: NewClient, origin: Origin): Promise<ClientWithSecrets & Shown> {
      checkName(name)
      return db.transaction(async (tx) => {
        await requireActor(tx, origin)
        const client = await insertClient(tx, {
          name,
          ...columnsOf(roles),
          scopes: [...scopesIn(scopes ?? defaultScopes)]
        })
        refuseMoreThan(origin.scopes, authorityOf(client))
        const { clientSecret, ...secret } = await createSecret(tx, client.id)
        const details = {
          name,
          roles: rolesOf(flagsOf(client)),
          ...(scopes !== undefined && { scopes: client.scopes })
        }
        await record(tx, origin, 'client.created', client.id, details)
        return { ...client, secrets: [secret], clientSecret }
      })
    },

    /** A page, in the order of creation. @throws {Problem} `validation_failed` for a cursor that is none of this list */
    list: (query: ClientQuery): Promise<Page<ClientWithSecrets>> => listClients(db, query),

    /** @throws {Problem} `not_found` */
    read: (id: string): Promise<ClientWithSecrets> => read(db, id),

    /**
     * Access tokens from before a change of the roles or scopes, or from before the client was disabled, become void.
     * @throws {Problem} `not_found`, or `permission_denied` for more than the caller has
     */
    async update(id: string, change: ClientChange, origin: Origin): Promise<ClientWithSecrets> {
      if (change.name !== undefined) checkName(change.name)
      return changing(id, origin, async (tx, client) => {
        const { name = client.name, is_disabled: isDisabled = client.isDisabled, scopes: named, ...flags } = change
        const scopes = named === undefined ? client.scopes : [...scopesIn(named)]
        const after = authorityOf({ ...client, ...columnsOf(flags), scopes })
        refuseMoreThan(origin.scopes, after)
        const [had, has] = [wordsOf(authorityOf(client)), wordsOf(after)]
        const granted = has.filter((word) => !had.includes(word))
        const withdrawn = had.filter((word) => !has.includes(word))
        const rolesChange = granted.length + withdrawn.length > 0
        const isVoid = rolesChange || (isDisabled && !client.isDisabled)
        const version = isVoid ? client.version + 1 : client.version
        await updateClient(tx, client, { name, isDisabled, version, scopes, ...columnsOf(flags) })
        if (name !== client.name) await record(tx, origin, 'client.updated', id, { changed: ['name'] })
        if (rolesChange) await record(tx, origin, 'client.roles_changed', id, { granted, withdrawn })
        if (isDisabled !== client.isDisabled) {
          await record(tx, origin, isDisabled ? 'client.disabled' : 'client.enabled', id)
        }
        return { revoked: isVoid ? [{ clientId: id, version }] : [], result: await read(tx, id) }
      })
    },

    /** @throws {Problem} `not_found` */
    async delete(id: string, origin: Origin): Promise<void> {
      await changing(id, origin, async (tx, client) => {
        await deleteClient(tx, client)
        await record(tx, origin, 'client.deleted', id, { name: client.name })
        return { revoked: [{ clientId: id, version: client.version + 1 }], result: undefined }
      })
    },

    /** Adds a secret beside the one in use. @throws {Problem} `not_found`, `too_many_secrets` */
    async addSecret(id: string, origin: Origin): Promise<SecretRow & Shown> {
      return changing(id, origin, async (tx) => {
        if ((await countSecrets(tx, id)) >= mostSecrets) throw new Problem('too_many_secrets')
        const secret = await createSecret(tx, id)
        await record(tx, origin, 'client.secret_created', id, { secret_id: secret.id })
        return { revoked: [], result: secret }
      })
    },

    /** Ends a secret, and the access tokens that were asked for with it. @throws {Problem} `not_found` */
    async endSecret(id: string, secretId: string, origin: Origin): Promise<void> {
      await changing(id, origin, async (tx) => {
        if (!(await deleteSecret(tx, id, secretId))) throw new Problem('not_found')
        await record(tx, origin, 'client.secret_ended', id, { secret_id: secretId })
        return { revoked: ofSessions([secretId]), result: undefined }
      })
    },

    /** Makes one of a client's access tokens void (RFC 7009). */
    async revokeToken({ clientId, claims: { jti } }: ClientPrincipal, origin: Origin): Promise<void> {
      await inRevokingTransaction(async (tx) => {
        await record(tx, { ...origin, actorClientId: clientId }, 'client.token_revoked', clientId, { jti })
        return { revoked: ofSessions([jti]), result: undefined }
      })
    }
  }

  /**
   * Runs a transaction on a client that no other changes meanwhile. A caller with scopes alone changes none that may do
   * more than it: with a new secret of that client it would have all that.
   */
  function changing<T>(
    id: string,
    origin: Origin,
    work: (tx: Db, client: ClientRow) => Promise<{ revoked: Revocation[]; result: T }>
  ): Promise<T> {
    return inRevokingTransaction(async (tx) => {
      const client = await lockClient(tx, id)
      if (client === undefined) throw new Problem('not_found')
      await requireActor(tx, origin)
      refuseMoreThan(origin.scopes, authorityOf(client))
      return work(tx, client)
    })
  }
}

async function read(db: Db, id: string): Promise<ClientWithSecrets> {
  const client = await findClient(db, id)
  if (client === undefined) throw new Problem('not_found')
  return client
}

const authorityOf = (client: ClientRow): Authority => ({
  roles: new Set(rolesOf(flagsOf(client))),
  scopes: scopesIn(client.scopes)
})

async function createSecret(db: Db, clientId: string): Promise<SecretRow & Shown> {
  const clientSecret = generateSecret()
  return { ...(await insertSecret(db, clientId, digestOf(clientSecret))), clientSecret }
}

const record = (db: Db, origin: Origin, type: AuditEventType, clientId: string, details: object = {}) =>
  recordEvent(db, origin, { type, details: { client_id: clientId, ...details } })

const columnsOf = ({ is_reader: isReader, is_author: isAuthor, is_admin: isAdmin }: Partial<RoleFlags>) => ({
  ...(isReader !== undefined && { isReader }),
  ...(isAuthor !== undefined && { isAuthor }),
  ...(isAdmin !== undefined && { isAdmin })
})

export const longestName = 100

function checkName(name: string): void {
  if (name.isWellFormed() && new RegExp(`^\\P{Cc}{1,${String(longestName)}}$`, 'u').test(name)) return
  const message = `must have 1 to ${String(longestName)} characters, none of them a control character`
  throw Problem.validation([{ path: '/body/name', message }])
}
