import { requestByEmail } from '../email-links/requests.ts'
import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import type { Device } from '../tokens/device-token.ts'

/** Mails a link past a lock-out, if a user who may log in has the address. Neither time nor outcome tells (CWE-208). */
export const requestUnlock =
  ({ db, notifyJobs }: Mechanisms) =>
  async (email: string, origin: Origin): Promise<void> => {
    await requestByEmail(db, 'unlock_request', 'user.unlock_requested', email, origin)
    notifyJobs()
  }

/**
 * Forgets the failed logins of a user, and makes the device that has their link known: what strangers try from then on does
 * not count there.
 * @returns the device token
 * @throws {InvalidInput} for a link that is not good
 */
export const unlock =
  ({ db, emailLink, attempts, tokens }: Mechanisms) =>
  async (token: string, origin: Origin, device?: Device): Promise<string> => {
    const link = await emailLink(token, 'unlock')
    const { user } = link
    await db.transaction(async (tx) => {
      await attempts.forget(tx, user.id)
      await link.use(tx)
      await recordEvent(tx, origin, { type: 'user.unlocked', userId: user.id })
    })
    return tokens.devices.issue(user, device)
  }
