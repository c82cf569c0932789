import { and, eq, gt, inArray, isNotNull, ne, or, sql } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { onlyRow } from '../database/rows.ts'
import { accountTokens, users } from '../database/schema/index.ts'
import { secondsAgo, secondsAhead } from '../database/time.ts'
import type { UserRow } from './users.ts'

/** What a link in a mail is for. */
export type Purpose = 'password_reset' | 'email_verification' | 'invitation' | 'email_undo' | 'unlock'

const hour = 60 * 60

/** Seconds for which a link works. */
export const linkLifetimes: Record<Purpose, number> = {
  password_reset: hour,
  email_verification: 24 * hour,
  invitation: 24 * hour,
  email_undo: 7 * 24 * hour,
  unlock: hour
}

/** The state of a user for which a link is made: the link is void once any of it has changed. */
export type LinkOwner = Pick<UserRow, 'id' | 'username' | 'email' | 'emailKey' | 'emailVerified' | 'passwordVersion'>

/** Replaces the links to the user's address for the same purpose by a new one. @returns its id */
export async function replaceLink(tx: Db, user: LinkOwner, purpose: Purpose): Promise<string> {
  const { userId, emailKey } = accountTokens
  await tx
    .delete(accountTokens)
    .where(and(eq(userId, user.id), eq(accountTokens.purpose, purpose), eq(emailKey, user.emailKey)))
  return insertLink(tx, user, purpose)
}

async function insertLink(tx: Db, user: LinkOwner, purpose: Purpose, returnTo?: string): Promise<string> {
  const rows = await tx
    .insert(accountTokens)
    .values({
      userId: user.id,
      purpose,
      email: returnTo,
      emailKey: user.emailKey,
      passwordVersion: user.passwordVersion,
      expiresAt: secondsAhead(linkLifetimes[purpose])
    })
    .returning({ id: accountTokens.id })
  return onlyRow(rows).id
}

/** A link to verify the address that the user wants to change to. */
const isForPendingEmail = and(
  eq(accountTokens.purpose, 'email_verification'),
  eq(users.pendingEmailKey, accountTokens.emailKey)
)

const isAlive = gt(accountTokens.expiresAt, sql`now()`)

/** The link has not expired, and its user is as they were when it was made. */
const isGood = (purposes: readonly Purpose[]) =>
  and(
    inArray(accountTokens.purpose, purposes),
    isAlive,
    eq(users.id, accountTokens.userId),
    or(eq(users.emailKey, accountTokens.emailKey), isForPendingEmail),
    eq(users.passwordVersion, accountTokens.passwordVersion),
    eq(users.isDisabled, false)
  )

/** The user of a good link and the address that it was sent to; the link is not used up. */
export async function findLink(
  db: Db,
  id: string,
  purposes: readonly Purpose[]
): Promise<{ user: UserRow; emailKey: string } | undefined> {
  const [row] = await db
    .select({ user: users, emailKey: accountTokens.emailKey })
    .from(accountTokens)
    .innerJoin(users, isGood(purposes))
    .where(eq(accountTokens.id, id))
  return row
}

/** Uses up a good link; of concurrent attempts one succeeds. @returns undefined for a link that is not good */
export async function useLink(
  tx: Db,
  id: string,
  purposes: readonly Purpose[]
): Promise<{ userId: number; purpose: string; emailKey: string } | undefined> {
  const good = tx
    .select({ id: accountTokens.id })
    .from(accountTokens)
    .innerJoin(users, isGood(purposes))
    .where(eq(accountTokens.id, id))
  const [row] = await tx
    .delete(accountTokens)
    .where(eq(accountTokens.id, sql`(${good})`))
    .returning({ userId: accountTokens.userId, purpose: accountTokens.purpose, emailKey: accountTokens.emailKey })
  return row
}

/**
 * Deletes a user's links with their unsent mails, and drops a pending change of address. Links that undo a change of
 * address stay: somebody who took over the account must not be able to end them.
 */
export async function deleteLinks(tx: Db, userId: number): Promise<void> {
  await tx.delete(accountTokens).where(and(eq(accountTokens.userId, userId), ne(accountTokens.purpose, 'email_undo')))
  await tx
    .update(users)
    .set({ pendingEmail: null, pendingEmailKey: null })
    .where(and(eq(users.id, userId), isNotNull(users.pendingEmailKey)))
}

/**
 * Deletes the links that verify a pending address. The link to the present address stays, with which its reader can
 * disown the account.
 */
export async function deletePendingLinks(tx: Db, user: Pick<UserRow, 'id' | 'emailKey'>): Promise<void> {
  const { userId, purpose, emailKey } = accountTokens
  await tx
    .delete(accountTokens)
    .where(and(eq(userId, user.id), eq(purpose, 'email_verification'), ne(emailKey, user.emailKey)))
}

/** Whether a link to verify the user's address was made in the last `seconds`. */
export async function hasRecentVerificationLink(tx: Db, user: LinkOwner, seconds: number): Promise<boolean> {
  const recent = and(
    eq(accountTokens.userId, user.id),
    eq(accountTokens.purpose, 'email_verification'),
    eq(accountTokens.emailKey, user.emailKey),
    gt(accountTokens.createdAt, secondsAgo(seconds))
  )
  return (await tx.$count(accountTokens, recent)) > 0
}

/** A link that undoes a change of address leads back to the address that `user` has now. @returns its id */
export const insertUndoLink = (tx: Db, user: LinkOwner): Promise<string> =>
  insertLink(tx, user, 'email_undo', user.email)

/** Restarts the lifetime of the link that leads back to the user's address. @returns its id, if there is one */
export async function extendUndoLink(tx: Db, { id, emailKey }: LinkOwner): Promise<string | undefined> {
  const [row] = await tx
    .update(accountTokens)
    .set({ expiresAt: secondsAhead(linkLifetimes.email_undo) })
    .where(
      and(
        eq(accountTokens.userId, id),
        eq(accountTokens.purpose, 'email_undo'),
        eq(accountTokens.emailKey, emailKey),
        isAlive
      )
    )
    .returning({ id: accountTokens.id })
  return row?.id
}

/** An earlier address of a user, to which an undo link leads back. */
export interface FormerAddress {
  userId: number
  email: string
  emailKey: string
}

/** Neither a further change of address nor another password ends an undo link: that is what it is for. */
export async function findFormerAddress(db: Db, linkId: string): Promise<FormerAddress | undefined> {
  const [row] = await db
    .select({ userId: accountTokens.userId, email: accountTokens.email, emailKey: accountTokens.emailKey })
    .from(accountTokens)
    .innerJoin(users, and(eq(users.id, accountTokens.userId), eq(users.isDisabled, false)))
    .where(and(eq(accountTokens.id, linkId), eq(accountTokens.purpose, 'email_undo'), isAlive))
  return row?.email == null ? undefined : { ...row, email: row.email }
}

/**
 * Deletes an undo link that was used and the user's other links, except undo links from before it: somebody who changed
 * the address twice must not end the first undo by the second.
 */
export async function deleteLinksSince(tx: Db, linkId: string, userId: number): Promise<void> {
  const { id, createdAt } = accountTokens
  const made = tx.select({ createdAt }).from(accountTokens).where(eq(id, linkId))
  await tx
    .delete(accountTokens)
    .where(
      and(eq(accountTokens.userId, userId), or(ne(accountTokens.purpose, 'email_undo'), sql`${createdAt} >= (${made})`))
    )
}
