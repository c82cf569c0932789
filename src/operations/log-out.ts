import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { deleteSession } from '../repositories/sessions.ts'
import { ofSessions } from '../revocation/transaction.ts'

/** Ends sessions; those that have ended already are passed over. */
export const logOut =
  ({ revoking }: Mechanisms) =>
  async (sessionIds: Iterable<string>, origin: Origin): Promise<void> => {
    for (const sessionId of sessionIds) {
      await revoking(async (tx, revoked) => {
        const userId = await deleteSession(tx, sessionId)
        if (userId === undefined) return
        await recordEvent(tx, { ...origin, actorId: userId }, { type: 'user.logged_out', userId })
        revoked.push(...ofSessions([sessionId]))
      })
    }
  }
