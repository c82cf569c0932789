import { refuseLink } from '../factors/email-link.ts'
import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { isUnproven } from '../repositories/unproven-users.ts'
import { lockUser } from '../repositories/user-locks.ts'
import { nothingPending, writeUser } from '../users/changes.ts'
import { prepareRemoval, removeUser } from '../users/removal.ts'

/**
 * The reader of a mail says that the account is not theirs: one whose address was never verified is deleted, a pending
 * change of address is dropped.
 * @throws {InvalidInput} for a link that is not good
 * @throws {Problem} `last_admin`
 */
export const disownEmail =
  ({ db, revoking, emailLink, loginRules }: Mechanisms) =>
  async (token: string, origin: Origin): Promise<void> => {
    const link = await emailLink(token, 'email_verification')
    const { id } = link.user
    if (link.emailKey === link.user.emailKey && (await isUnproven(db, id))) {
      await prepareRemoval(db, id, origin, loginRules)
    }
    await revoking(async (tx, revoked) => {
      const { user } = (await lockUser(tx, { id })) ?? {}
      if (user === undefined) throw refuseLink()
      const { emailKey } = await link.use(tx)
      let outcome = 'link_ended'
      if (emailKey !== user.emailKey) {
        await writeUser(tx, revoked, user, { ...user, ...nothingPending }, origin)
        outcome = 'change_dropped'
      } else if (await isUnproven(tx, id)) {
        await removeUser(tx, revoked, { id }, origin, loginRules)
        outcome = 'account_deleted'
      }
      await recordEvent(tx, origin, { type: 'user.disowned', userId: id, details: { outcome } })
    })
  }
