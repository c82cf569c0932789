import { keepUndoLink } from '../email-links/address-changes.ts'
import { mailLink } from '../email-links/links.ts'
import { verificationRequest } from '../email-links/requests.ts'
import { refuseLink } from '../factors/email-link.ts'
import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { deleteLinks } from '../repositories/email-links.ts'
import { recordEventWithJob } from '../repositories/jobs.ts'
import { lockUser } from '../repositories/user-locks.ts'
import { refuseTakenNames } from '../repositories/user-names.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import { nothingPending, writeUser } from '../users/changes.ts'

/**
 * Mails the caller the link to verify their address again, unless it is verified; if there is a pending address, the link
 * to verify that one. Whether it is taken is found out later, where time does not tell.
 * @throws {Problem} `token_revoked`
 */
export const requestEmailVerification =
  ({ db, requireUser, notifyJobs }: Mechanisms) =>
  async (principal: UserPrincipal, origin: Origin): Promise<void> => {
    const user = await requireUser(principal)
    const event = { type: 'user.email_verification_requested', userId: user.id } as const
    if (user.pendingEmail !== null) {
      await recordEventWithJob(db, origin, event, verificationRequest(user, origin, user.pendingEmail))
    } else if (!user.emailVerified) {
      await db.transaction(async (tx) => {
        const locked = await lockUser(tx, { id: user.id })
        if (locked === undefined || locked.user.emailVerified) return
        await mailLink(tx, locked.user, 'email_verification', origin.language, origin)
        await recordEvent(tx, origin, event)
      })
    }
    notifyJobs()
  }

/**
 * Verifies the address that a link was mailed to; a pending one becomes the user's.
 * @throws {InvalidInput} for a link that is not good
 * @throws {Problem} `email_taken` for an address that another user has had since: to the reader of its mail, no secret
 */
export const verifyEmail =
  ({ revoking, emailLink, notifyJobs }: Mechanisms) =>
  async (token: string, origin: Origin): Promise<void> => {
    const link = await emailLink(token, 'email_verification')
    await refuseTakenNames(
      revoking(async (tx, revoked) => {
        const { user } = (await lockUser(tx, { id: link.user.id })) ?? {}
        if (user === undefined) throw refuseLink()
        const { emailKey } = await link.use(tx)
        if (emailKey === user.emailKey) {
          await writeUser(tx, revoked, user, { ...user, emailVerified: true }, origin)
          return
        }
        const email = user.pendingEmail ?? user.email
        await writeUser(tx, revoked, user, { ...user, email, emailKey, emailVerified: true, ...nothingPending }, origin)
        await deleteLinks(tx, user.id)
        await keepUndoLink(tx, user, origin)
      })
    )
    notifyJobs()
  }
