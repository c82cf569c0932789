import type { Db } from '../database/database.ts'
import { Problem } from '../errors.ts'
import type { Language } from '../language.ts'
import { enqueueMail } from '../mail/enqueue.ts'
import type { MailName } from '../mail/templates.ts'
import { toKey } from '../names.ts'
import type { Origin } from '../origin.ts'
import {
  extendUndoLink,
  insertUndoLink,
  type LinkOwner,
  type Purpose,
  replaceLink
} from '../repositories/email-links.ts'
import type { UserRow } from '../repositories/users.ts'
import type { MailCause } from '../throttling/mail-budgets.ts'

/**
 * Mails a link to the user's address. It replaces earlier links for the same purpose; where the budget of mails is used up,
 * the latest of them stays good and no mail is sent.
 * @returns 0, or the seconds until the budget allows another
 */
export const mailLink = (
  tx: Db,
  user: LinkOwner,
  purpose: Exclude<Purpose, 'email_undo'>,
  language: Language | undefined,
  cause: MailCause
): Promise<number> =>
  enqueueMail(
    tx,
    { user, recipient: user.email, template: purpose, language, makeLink: () => replaceLink(tx, user, purpose) },
    cause
  )

/**
 * Invites a user, who has no password yet, in the transaction that creates them.
 * @throws {Problem} `rate_limited`, since without the mail the user is of no use
 */
export async function sendInvitation(tx: Db, user: LinkOwner, origin: Origin): Promise<void> {
  const wait = await mailLink(tx, user, 'invitation', origin.language, origin)
  if (wait > 0) throw new Problem('rate_limited', { detail: 'Too many invitations', retryAfter: wait })
}

/** Mails the user's present address a link that leads back to it. Of each address there is one such link. */
export async function mailUndoLink(
  tx: Db,
  user: LinkOwner,
  template: 'email_changed' | 'email_change_requested',
  origin: Origin
): Promise<void> {
  const { email, emailVerified: isVerified } = user
  // Whether the budget allows the mail or not: the link keeps others from taking the address.
  const link = (await extendUndoLink(tx, user)) ?? (await insertUndoLink(tx, user))
  const mail = { user, recipient: email, isVerified, template, language: origin.language }
  await enqueueMail(tx, { ...mail, makeLink: async () => link }, origin)
}

type Notice = Extract<MailName, 'password_changed' | 'registration_attempt' | 'email_change_attempt'>

/** Mails a user what happened, without a link. */
export async function mailNotice(
  tx: Db,
  user: Pick<UserRow, 'id' | 'username' | 'email'>,
  notice: Notice,
  language: Language | undefined,
  cause: MailCause
): Promise<void> {
  await enqueueMail(tx, { user, recipient: user.email, template: notice, language }, cause)
}

/**
 * The same to an address that somebody else has typed: as its holder spells it, unless it is an address to which the holder
 * may return.
 */
export const mailNoticeTo = (
  tx: Db,
  email: string,
  holder: Pick<UserRow, 'id' | 'username' | 'email' | 'emailKey'>,
  notice: Notice,
  language: Language | undefined,
  cause: MailCause
): Promise<void> =>
  mailNotice(tx, { ...holder, email: holder.emailKey === toKey(email) ? holder.email : email }, notice, language, cause)
