import { recordEvent } from '../repositories/audit-events.ts'
import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import type { PasswordAttempts } from '../throttling/password-attempts.ts'
import type { AccountTokens } from '../tokens/link-token.ts'
import type { Device, DeviceTokens } from '../tokens/device-token.ts'
import { badLink, findLink, useLink } from './links.ts'
import { requestUnlock } from './requests.ts'

export interface UnlockingOptions {
  db: Db
  attempts: Pick<PasswordAttempts, 'forget'>
  devices: DeviceTokens
  accountTokens: AccountTokens
  /** Called when mail was committed to the outbox. */
  onMail: () => void
}

export type Unlocking = ReturnType<typeof createUnlocking>

/** The way past a lock-out for its owner, whatever strangers go on doing: a mailed link makes a device one of theirs. */
export function createUnlocking({ db, attempts, devices, accountTokens, onMail }: UnlockingOptions) {
  return {
    /** Mails the link, if somebody who may log in has the address. Neither the time nor the outcome tells. */
    async request(email: string, origin: Origin): Promise<void> {
      await requestUnlock(db, email, origin)
      onMail()
    },

    /**
     * Forgets the failures of a user, and makes the device that has their link one of theirs: what strangers try from then
     * on does not count there.
     * @returns what the device is known by
     * @throws {Problem} `validation_failed` for a link that is not good (any more)
     */
    async unlock(token: string, origin: Origin, device?: Device): Promise<string> {
      const tokenId = accountTokens.read(token)
      const link = tokenId && (await findLink(db, tokenId, ['unlock']))
      if (!tokenId || !link) throw badLink()
      const { user } = link
      await db.transaction(async (tx) => {
        await attempts.forget(tx, user.id)
        if ((await useLink(tx, tokenId, ['unlock'])) === undefined) throw badLink()
        await recordEvent(tx, origin, { type: 'user.unlocked', userId: user.id })
      })
      return devices.issue(user, device)
    }
  }
}
