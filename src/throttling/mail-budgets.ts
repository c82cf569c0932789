import { createHash } from 'node:crypto'
import type { Db } from '../database/database.ts'
import { orClosed } from '../database/fail-closed.ts'
import { toKey } from '../names.ts'
import type { Origin } from '../origin.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import { findBudgetWait, spend } from '../repositories/budget-counters.ts'
import { findUsers } from '../repositories/users.ts'
import { toNetwork } from './network.ts'

/** How many mails are written within an hour, from the first on. */
export const mailBudgets = {
  /** Of one kind to one address, see `recipientBudget`. */
  recipient: 5,
  /** By a user, beside what tells owners of their own accounts. */
  user: 20,
  /** The same by an administrator or a service client, who invite and correct others. */
  administrator: 200,
  /** The same by strangers of one network: more than their limits by address let them ask for. */
  network: 100
} as const

/**
 * What tells owners that somebody acts in their account, at the address that they have verified. It counts against its
 * recipient alone: nobody can first use up the budget of a sender, and then act unnoticed.
 */
const warnings = ['password_changed', 'email_changed', 'email_change_requested']

/** A mail as it is asked for. */
export interface MailToCount {
  userId?: number | null | undefined
  recipient: string
  template: string
  /** Whether the account that the mail is about has verified the address; looked up where it is left out. */
  isVerified?: boolean | undefined
}

/** Who causes a mail. Neither commands nor services with RATE_LIMIT=off are limited. */
export type MailCause = Pick<Origin, 'isLimited' | 'ip' | 'userAgent' | 'requestId' | 'actorId' | 'actorClientId'>

/** What became of a mail that was counted. */
export interface Counted {
  /** Seconds until there may be another; 0 for one that is within its budgets. */
  wait: number
  isVerified: boolean
  /** How many mails its sender has had before it, within the hour. */
  earlier: number
}

/**
 * Counts a mail against its recipient and its sender, in the transaction that writes it: what is rolled back was not spent.
 * The first that is over a budget leaves an event; those after it leave nothing.
 * @throws {Problem} `unavailable` where the count cannot be kept: without it no mail is written
 */
export async function countMail(tx: Db, mail: MailToCount, cause: MailCause): Promise<Counted> {
  const standing = await findStanding(tx, mail, cause)
  const { isVerified } = standing
  if (cause.isLimited !== true) return { wait: 0, isVerified, earlier: 0 }
  const sender = isVerified && warnings.includes(mail.template) ? undefined : senderBudget(cause, standing)
  let earlier = 0
  // The sender first: those who cause much wait for one another, and for nobody's address.
  for (const budget of [...(sender ? [sender] : []), recipientBudget(mail, standing)]) {
    const count = await orClosed(spend(tx, budget.key, budget.most))
    if (count === undefined || count > budget.most) {
      const details = { template: mail.template, budget: budget.name }
      if (count !== undefined) {
        await recordEvent(tx, cause, { type: 'mail.withheld', userId: mail.userId ?? undefined, details })
      }
      return { wait: await findBudgetWait(tx, budget.key), isVerified, earlier }
    }
    if (budget === sender) earlier = count - 1
  }
  return { wait: 0, isVerified, earlier }
}

interface Budget {
  name: 'recipient' | 'sender'
  key: string
  most: number
}

/**
 * An address has a budget of each kind of mail for the account that has verified it, one for an account that has not, and
 * one for all accounts that want to change to it: no stranger uses up what its owner gets.
 */
function recipientBudget({ userId, recipient, template }: MailToCount, { isVerified, isPresent }: Standing): Budget {
  const owner = isVerified ? String(userId) : isPresent ? 'unverified' : 'other'
  // A digest: the count outlives the account.
  const address = createHash('sha256').update(toKey(recipient)).digest('base64url')
  return { name: 'recipient', key: `mail:${template}:${owner}:${address}`, most: mailBudgets.recipient }
}

function senderBudget({ actorId, actorClientId, ip }: MailCause, { isByAdmin }: Standing): Budget | undefined {
  const budget = (kind: keyof typeof mailBudgets, who: string): Budget => ({
    name: 'sender',
    key: `mails-by:${kind}:${who}`,
    most: mailBudgets[kind]
  })
  if (actorClientId !== undefined) return budget('administrator', actorClientId)
  if (actorId !== undefined) return budget(isByAdmin ? 'administrator' : 'user', String(actorId))
  return ip === undefined ? undefined : budget('network', toNetwork(ip))
}

/** How a mail's recipient and its sender stand to their accounts, as the transaction that writes the mail sees them. */
interface Standing {
  isVerified: boolean
  /** Whether the recipient is the account's present address, and not one that it had or wants. */
  isPresent: boolean
  isByAdmin: boolean
}

async function findStanding(tx: Db, mail: MailToCount, { actorId }: MailCause): Promise<Standing> {
  const found = await findUsers(tx, [mail.userId, actorId])
  const owner = found.find(({ id }) => id === mail.userId)
  const isPresent = owner?.emailKey === toKey(mail.recipient)
  return {
    isPresent,
    isVerified: mail.isVerified ?? (isPresent && owner.emailVerified),
    isByAdmin: found.some(({ id, isAdmin }) => id === actorId && isAdmin)
  }
}
