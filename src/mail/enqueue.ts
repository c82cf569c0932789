import { sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { secondsAhead } from '../database/time.ts'
import { isUrgent } from '../jobs/worker.ts'
import type { Language } from '../language.ts'
import { countUntried, insertJob, type Job } from '../repositories/jobs.ts'
import type { UserRow } from '../repositories/users.ts'
import { countMail, type MailCause } from '../throttling/mail-budgets.ts'
import { type MailName, mails } from './templates.ts'

/** The kind of the jobs that send a mail. */
export const mailKind = 'mail'

/** What a job to send a mail holds. The link is made when the mail is sent: neither the database nor a log ever has it. */
export interface MailPayload {
  template: MailName
  language: Language
  recipient: string
  username?: string
  /** Whether the account's owner has verified the recipient's address. */
  address?: 'verified' | 'unverified'
  /** The part of the Message-ID that tells mails apart; made from the job unless it is named. */
  message_id?: string
}

export const readMail = ({ payload }: Job): MailPayload => payload as unknown as MailPayload

export interface NewMail {
  user: Pick<UserRow, 'id' | 'username'>
  recipient: string
  template: MailName
  language?: Language | undefined
  /** As in `MailToCount`. */
  isVerified?: boolean | undefined
  /** Makes the link that the mail leads to. */
  makeLink?: () => Promise<string>
}

// Mails of a sender that go at once, before the next are a second apart.
const burst = 5
const maxSpacing = 60

/**
 * Adds a mail in the transaction of what it tells. Beyond a budget it adds none, and the transaction goes on: see
 * src/throttling/mail-budgets.ts.
 * @returns 0, or the seconds until the budget allows another
 */
export async function enqueueMail(tx: Db, mail: NewMail, cause: MailCause): Promise<number> {
  const { user, recipient, template, language = 'en', isVerified: known, makeLink } = mail
  const counted = await countMail(tx, { userId: user.id, recipient, template, isVerified: known }, cause)
  const { wait, isVerified, earlier } = counted
  if (wait > 0) return wait
  const address = isVerified ? 'verified' : 'unverified'
  const payload: MailPayload = { template, language, recipient, username: user.username, address }
  const { priority } = mails[template]
  // Lets the mails of others go first: a second for each that waits for the same user or comes from the same sender.
  const bySender = isUrgent(priority) ? 0 : Math.max(0, earlier - burst)
  const delay = sql`greatest(${bySender}::integer, ${countUntried(user.id, mailKind, priority, maxSpacing)})`
  await insertJob(tx, {
    kind: mailKind,
    payload: { ...payload },
    userId: user.id,
    linkId: await makeLink?.(),
    priority,
    dueAt: secondsAhead(delay)
  })
  return 0
}
