import type { Db } from '../database/database.ts'
import type { Origin } from '../origin.ts'
import { deleteLinks, deletePendingLinks, extendUndoLink, type LinkOwner } from '../repositories/email-links.ts'
import { insertJob } from '../repositories/jobs.ts'
import type { UserRow } from '../repositories/users.ts'
import { mailLink, mailUndoLink } from './links.ts'
import { verificationRequest } from './requests.ts'

/** After a change of the address: earlier links are void, the new address is to be verified, the old one can undo it. */
export async function mailAddressChange(tx: Db, before: LinkOwner, after: LinkOwner, origin: Origin): Promise<void> {
  await deleteLinks(tx, after.id)
  await mailLink(tx, after, 'email_verification', origin.language, origin)
  await mailUndoLink(tx, before, 'email_changed', origin)
}

/**
 * After a change of the pending address: earlier links to verify a pending address are void, the present address can undo
 * the change, and the new one gets its link later. Whether it is taken is not looked up here, where time would tell.
 */
export async function mailChangeRequest(tx: Db, user: UserRow, origin: Origin): Promise<void> {
  await deletePendingLinks(tx, user)
  if (user.pendingEmail === null) return
  await mailUndoLink(tx, user, 'email_change_requested', origin)
  await insertJob(tx, verificationRequest(user, origin, user.pendingEmail))
}

/** After the pending address became the present one: the link that undoes it lives from now on, and is mailed if there is none. */
export async function keepUndoLink(tx: Db, before: LinkOwner, origin: Origin): Promise<void> {
  if ((await extendUndoLink(tx, before)) === undefined) await mailUndoLink(tx, before, 'email_changed', origin)
}
