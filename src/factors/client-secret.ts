import { LRUCache } from 'lru-cache'
import type { Db } from '../database/database.ts'
import { Problem } from '../errors.ts'
import { isUuid, sessionKey } from '../ids.ts'
import { OAuthError } from '../oauth-errors.ts'
import type { Origin } from '../origin.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { prepareFindClientBySecret } from '../repositories/clients.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { listRoles } from '../roles.ts'
import { type Authority, scopesIn } from '../scopes.ts'
import type { Limiter } from '../throttling/limiter.ts'
import { toNetwork } from '../throttling/network.ts'
import type { Revocable } from '../tokens/claims.ts'
import { digestSecret } from '../tokens/client-secret.ts'

export interface ClientCredentials {
  id: string
  secret: string
}

/** A service that has shown a secret of its own, which stands where a token has its session. */
export type AuthenticatedClient = Revocable & { kind: 'client' } & Authority

/**
 * @throws {OAuthError} `invalid_client`, the same whether the client is unknown, disabled or the secret wrong
 * @throws {Problem} `rate_limited` where many wrong ones of the client came from the address; a client that is in the cache goes on
 */
export type AuthenticateClient = (credentials: ClientCredentials, origin: Origin) => Promise<AuthenticatedClient>

export interface ClientAuthenticationOptions {
  db: Db
  revocations: Pick<Revocations, 'isRevoked'>
  limiter: Limiter
  /** Milliseconds, of a clock that never goes back. */
  now?: () => number
}

const maxCached = 10_000

/**
 * Milliseconds. No longer than the shortest lifetime of an access token, for which revocations are kept: what was revoked
 * must not outlast its revocation.
 */
const cacheTime = 60_000

const nobody = '00000000-0000-0000-0000-000000000000'

/** Caches who was authenticated by the digest of the secret, and checks for a revocation at every use. */
export function createClientAuthentication({
  db,
  revocations,
  limiter,
  now = () => performance.now()
}: ClientAuthenticationOptions): AuthenticateClient {
  const findClientBySecret = prepareFindClientBySecret(db)
  const cache = new LRUCache<string, { client: AuthenticatedClient; until: number }>({ max: maxCached })

  return async ({ id, secret }, origin) => {
    const digest = digestSecret(secret)
    const key = id + digest
    const known = cache.get(key)
    if (known !== undefined && known.until > now() && !(await revocations.isRevoked(known.client))) return known.client
    cache.delete(key)

    // Whatever the id looks like, so that time does not tell (CWE-208).
    const asked = isUuid(id) ? id : nobody
    const network = toNetwork(origin.ip ?? '')
    // Of one client at one address: a colleague's wrong secret stops nobody else's right one.
    const counter = `${network} ${asked}`
    const wait = await limiter.waitOf('client', counter)
    if (wait > 0) throw new Problem('rate_limited', { retryAfter: wait })

    const found = await findClientBySecret(asked, digest)
    if (found === undefined) {
      await limiter.take('client', counter)
      // Of one address no more are recorded than of one client, however many it makes up.
      if ((await limiter.take('client', network)) === 0) {
        const details = isUuid(id) ? { client_id: id } : {}
        await recordEvent(db, origin, { type: 'client.login_failed', details })
      }
      throw new OAuthError('invalid_client')
    }
    const client: AuthenticatedClient = {
      kind: 'client',
      clientId: found.client.id,
      sessionId: found.secretId,
      sessionKey: sessionKey(found.secretId),
      version: found.client.version,
      roles: new Set(listRoles(found.client)),
      scopes: scopesIn(found.client.scopes)
    }
    cache.set(key, { client, until: now() + cacheTime })
    return client
  }
}
