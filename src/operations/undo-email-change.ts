import { mailLink } from '../email-links/links.ts'
import { refuseLink } from '../factors/email-link.ts'
import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { deleteLinksSince, findFormerAddress } from '../repositories/email-links.ts'
import { deleteSessions } from '../repositories/sessions.ts'
import { lockUser } from '../repositories/user-locks.ts'
import { refuseTakenNames } from '../repositories/user-names.ts'
import { ofSessions } from '../revocation/transaction.ts'
import { nothingPending, writeUser } from '../users/changes.ts'

/**
 * The reader of the old address says that a change was not theirs: the address is what it was, and every session ends.
 * @throws {InvalidInput} for a link that is not good
 * @throws {Problem} `email_taken`
 */
export const undoEmailChange =
  ({ db, revoking, tokens, notifyJobs }: Mechanisms) =>
  async (token: string, origin: Origin): Promise<void> => {
    const linkId = tokens.links.read(token)
    const found = linkId && (await findFormerAddress(db, linkId))
    if (!linkId || !found) throw refuseLink()
    await refuseTakenNames(
      revoking(async (tx, revoked) => {
        const { user } = (await lockUser(tx, { id: found.userId })) ?? {}
        const former = await findFormerAddress(tx, linkId)
        if (user === undefined || former === undefined) throw refuseLink()
        const { email, emailKey } = former.emailKey === user.emailKey ? user : former
        const after = { ...user, email, emailKey, emailVerified: true, ...nothingPending }
        const returned = await writeUser(tx, revoked, user, after, origin)
        await deleteLinksSince(tx, linkId, user.id)
        revoked.push(...ofSessions(await deleteSessions(tx, user.id, 'all')))
        const purpose = user.passwordHash === null ? 'invitation' : 'password_reset'
        // Whatever the budget of mails: with the password of before, the intruder would come back.
        await mailLink(tx, returned, purpose, origin.language, { ...origin, isLimited: false })
        const details = { from: user.email, to: email }
        await recordEvent(tx, origin, { type: 'user.email_change_undone', userId: user.id, details })
      })
    )
    notifyJobs()
  }
