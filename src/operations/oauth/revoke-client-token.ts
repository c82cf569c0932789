import type { Mechanisms } from '../../mechanisms.ts'
import type { Origin } from '../../origin.ts'
import { recordEvent } from '../../repositories/audit-events.ts'
import { ofSessions } from '../../revocation/transaction.ts'
import type { ClientPrincipal } from '../../tokens/claims.ts'

/** Revokes one access token of a client (RFC 7009). */
export const revokeClientToken =
  ({ revoking }: Mechanisms) =>
  ({ clientId, claims: { jti } }: ClientPrincipal, origin: Origin): Promise<void> =>
    revoking(async (tx, revoked) => {
      const event = { type: 'client.token_revoked', details: { client_id: clientId, jti } } as const
      await recordEvent(tx, { ...origin, actorClientId: clientId }, event)
      revoked.push(...ofSessions([jti]))
    })
