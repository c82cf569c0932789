import { and, eq, gt, inArray, isNotNull, ne, or, sql } from 'drizzle-orm'
import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import { accountTokens, outbox, users } from '../database/schema/index.ts'
import { type Fault, Problem } from '../errors.ts'
import type { MailCause } from '../throttling/mail-budgets.ts'
import type { Language } from '../language.ts'
import { withinBudget } from '../mail/outbox.ts'
import { keyOf } from '../names.ts'
import type { UserRow } from '../repositories/users.ts'

/** What a mailed link is good for. */
export type Purpose = 'password_reset' | 'email_verification' | 'invitation' | 'email_undo' | 'unlock'

const hour = 60 * 60

/** Seconds that a link works. */
export const lifetimes = {
  password_reset: hour,
  email_verification: 24 * hour,
  invitation: 24 * hour,
  email_undo: 7 * 24 * hour,
  unlock: hour
} as const

/** A user as a link is made for them: what changes of this makes the link void. */
export type LinkOwner = Pick<UserRow, 'id' | 'username' | 'email' | 'emailKey' | 'emailVerified' | 'passwordVersion'>

/**
/**
 * Mails a user a link, in the transaction of what asks for it. Older ones of the address for the same purpose are void
 * from then on; where there were too many mails of the kind, the latest of them stays good, and there is no other.
 * @returns the seconds until there may be another; 0 if this one was written
 */
export async function mailLink(
  tx: Db,
  user: LinkOwner,
  purpose: Purpose,
  language: Language = 'en',
  cause: MailCause
): Promise<number> {
  const variables = { username: user.username }
  const mail = { userId: user.id, recipient: user.email, template: purpose, language, variables }
  const { row, wait } = await withinBudget(tx, mail, cause)
  if (row === undefined) return wait
  const { userId, emailKey } = accountTokens
  await tx
    .delete(accountTokens)
    .where(and(eq(userId, user.id), eq(accountTokens.purpose, purpose), eq(emailKey, user.emailKey)))
  const [token] = await tx
    .insert(accountTokens)
    .values({
      userId: user.id,
      purpose,
      emailKey: user.emailKey,
      passwordVersion: user.passwordVersion,
      expiresAt: sql`now() + make_interval(secs => ${lifetimes[purpose]})`
    })
    .returning({ id: accountTokens.id })
  if (token === undefined) throw new Error('INSERT … RETURNING gave no row')
  await tx.insert(outbox).values({ ...row, tokenId: token.id })
  return 0
}

/**
 * Invites a user, who has no password yet: a link to set one. To be called in the transaction that makes the user.
 * @throws {Problem} `rate_limited`, since without the mail there is no use in the user
 */
export async function sendInvitation(tx: Db, user: LinkOwner, origin: Origin): Promise<void> {
  const wait = await mailLink(tx, user, 'invitation', origin.language, origin)
  if (wait > 0) throw new Problem('rate_limited', { detail: 'Too many invitations', retryAfter: wait })
}

export type Notice = 'password_changed' | 'registration_attempt' | 'email_change_attempt'

/** A mail that tells a user what happened, without a link. @param recipient where it is not the user's present address */
export const noticeTo = (
  { id, username, email }: Pick<UserRow, 'id' | 'username' | 'email'>,
  notice: Notice,
  language: Language = 'en',
  recipient = email
) => ({ userId: id, recipient, template: notice, language, variables: { username } })

/** The same at an address that somebody else has typed: to it as its holder wrote it, unless they may merely return to it. */
export const noticeAt = (
  email: string,
  holder: Pick<UserRow, 'id' | 'username' | 'email' | 'emailKey'>,
  notice: Notice,
  language?: Language
) => noticeTo(holder, notice, language, holder.emailKey === keyOf(email) ? holder.email : email)

/** A link to verify the address that the user wants to change to. */
const isOfPending = and(
  eq(accountTokens.purpose, 'email_verification'),
  eq(users.pendingEmailKey, accountTokens.emailKey)
)

/** The link holds: it has not expired, and its user is as they were when it was made. */
const isGood = (purposes: Purpose[]) =>
  and(
    inArray(accountTokens.purpose, purposes),
    gt(accountTokens.expiresAt, sql`now()`),
    eq(users.id, accountTokens.userId),
    or(eq(users.emailKey, accountTokens.emailKey), isOfPending),
    eq(users.passwordVersion, accountTokens.passwordVersion),
    eq(users.isDisabled, false)
  )

/** Whose link it is, and the address that it was mailed to, without using it. */
export async function findLink(
  db: Db,
  tokenId: string,
  purposes: Purpose[]
): Promise<{ user: UserRow; emailKey: string } | undefined> {
  const [row] = await db
    .select({ user: users, emailKey: accountTokens.emailKey })
    .from(accountTokens)
    .innerJoin(users, isGood(purposes))
    .where(eq(accountTokens.id, tokenId))
  return row
}

/** Uses a link, which of several that try at once one can. @returns its user, its purpose and the address it was mailed to */
export async function useLink(
  tx: Db,
  tokenId: string,
  purposes: Purpose[]
): Promise<{ userId: number; purpose: string; emailKey: string } | undefined> {
  const good = tx
    .select({ id: accountTokens.id })
    .from(accountTokens)
    .innerJoin(users, isGood(purposes))
    .where(eq(accountTokens.id, tokenId))
  const [row] = await tx
    .delete(accountTokens)
    .where(eq(accountTokens.id, sql`(${good})`))
    .returning({ userId: accountTokens.userId, purpose: accountTokens.purpose, emailKey: accountTokens.emailKey })
  return row
}

/**
 * Takes a user's links away, the mails with them that were not sent yet, and the change of address that waits for one.
 * What undoes a change of the address stays: who took the account over must not be able to end it.
 */
export async function deleteLinks(tx: Db, userId: number): Promise<void> {
  await tx
    .delete(accountTokens)
    .where(and(eq(accountTokens.userId, userId), ne(accountTokens.purpose, 'email_undo' satisfies Purpose)))
  await tx
    .update(users)
    .set({ pendingEmail: null, pendingEmailKey: null })
    .where(and(eq(users.id, userId), isNotNull(users.pendingEmailKey)))
}

/**
 * Takes away the links that confirm an address that a user wanted to change to. The one to the present address stays:
 * its reader can disown the account whatever else is asked for.
 */
export async function deletePendingLinks(tx: Db, user: Pick<UserRow, 'id' | 'emailKey'>): Promise<void> {
  const { userId, purpose, emailKey } = accountTokens
  await tx
    .delete(accountTokens)
    .where(and(eq(userId, user.id), eq(purpose, 'email_verification' satisfies Purpose), ne(emailKey, user.emailKey)))
}

/** What is said of a link that is not good, whatever the reason. */
export const deadLink: Fault = {
  path: '/body/token',
  message: 'was used, has expired, or is none of this service: ask for a new link'
}

export const badLink = () => Problem.validation([deadLink])
