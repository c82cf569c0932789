import { and, eq, gt, inArray, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { accountTokens, users } from '../database/schema/index.ts'
import type { Language } from '../mail/language.ts'
import { insertMail } from '../mail/outbox.ts'
import type { UserRow } from '../users/queries.ts'

/** What a mailed link is good for. */
export type Purpose = 'password_reset' | 'email_verification' | 'invitation'

const hour = 60 * 60

/** Seconds that a link works. */
export const lifetimes = { password_reset: hour, email_verification: 24 * hour, invitation: 24 * hour } as const

/** A user as a link is made for them: what changes of this makes the link void. */
export type LinkOwner = Pick<UserRow, 'id' | 'username' | 'email' | 'emailKey' | 'passwordVersion'>

/** Mails a user a link, in the transaction of what asks for it. Older ones for the same purpose are void from then on. */
export async function mailLink(tx: Db, user: LinkOwner, purpose: Purpose, language: Language = 'en'): Promise<void> {
  await tx.delete(accountTokens).where(and(eq(accountTokens.userId, user.id), eq(accountTokens.purpose, purpose)))
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
  await insertMail(tx, {
    userId: user.id,
    tokenId: token.id,
    recipient: user.email,
    template: purpose,
    language,
    variables: { username: user.username }
  })
}

/** Invites a user, who has no password yet: a link to set one. To be called in the transaction that makes the user. */
export const sendInvitation = (tx: Db, user: LinkOwner, language?: Language): Promise<void> =>
  mailLink(tx, user, 'invitation', language)

export type Notice = 'password_changed' | 'email_changed' | 'registration_attempt'

/** A mail that tells a user what happened, without a link. @param recipient where it is not the user's present address */
export const noticeTo = (
  { id, username, email }: Pick<UserRow, 'id' | 'username' | 'email'>,
  notice: Notice,
  language: Language = 'en',
  recipient = email
) => ({ userId: id, recipient, template: notice, language, variables: { username } })

/** What a change of the address brings: links to the old one are void, the new one is to be verified, the old one is told. */
export async function mailAddressChange(
  tx: Db,
  before: LinkOwner,
  after: LinkOwner,
  language?: Language
): Promise<void> {
  await deleteLinks(tx, after.id)
  await mailLink(tx, after, 'email_verification', language)
  await insertMail(tx, noticeTo(after, 'email_changed', language, before.email))
}

/** The link holds: it has not expired, and its user is as they were when it was made. */
const isGood = (purposes: Purpose[]) =>
  and(
    inArray(accountTokens.purpose, purposes),
    gt(accountTokens.expiresAt, sql`now()`),
    eq(users.id, accountTokens.userId),
    eq(users.emailKey, accountTokens.emailKey),
    eq(users.passwordVersion, accountTokens.passwordVersion),
    eq(users.isDisabled, false)
  )

/** Whose link it is, without using it. */
export async function findUserOfLink(db: Db, tokenId: string, purposes: Purpose[]): Promise<UserRow | undefined> {
  const [row] = await db
    .select({ user: users })
    .from(accountTokens)
    .innerJoin(users, isGood(purposes))
    .where(eq(accountTokens.id, tokenId))
  return row?.user
}

/** Uses a link, which of several that try at once one can. @returns its user and purpose */
export async function useLink(
  tx: Db,
  tokenId: string,
  purposes: Purpose[]
): Promise<{ userId: number; purpose: string } | undefined> {
  const good = tx
    .select({ id: accountTokens.id })
    .from(accountTokens)
    .innerJoin(users, isGood(purposes))
    .where(eq(accountTokens.id, tokenId))
  const [row] = await tx
    .delete(accountTokens)
    .where(eq(accountTokens.id, sql`(${good})`))
    .returning({ userId: accountTokens.userId, purpose: accountTokens.purpose })
  return row
}

/** Takes a user's links away, and the mails with them that were not sent yet. */
export async function deleteLinks(tx: Db, userId: number): Promise<void> {
  await tx.delete(accountTokens).where(eq(accountTokens.userId, userId))
}
