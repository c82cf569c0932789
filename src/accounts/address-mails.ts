import { and, eq, gt, ne, or, sql } from 'drizzle-orm'
import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import { accountTokens, users } from '../database/schema/index.ts'
import { insertMail } from '../mail/outbox.ts'
import type { UserRow } from '../repositories/users.ts'
import { deleteLinks, deletePendingLinks, lifetimes, type LinkOwner, mailLink, type Purpose } from './links.ts'
import { verificationRequest } from './requests.ts'

const undo = 'email_undo' satisfies Purpose

/** What a change of the address brings: links to the old one are void, the new one is to be verified, the old one can undo it. */
export async function mailAddressChange(tx: Db, before: LinkOwner, after: LinkOwner, origin: Origin): Promise<void> {
  await deleteLinks(tx, after.id)
  await mailLink(tx, after, 'email_verification', origin.language, origin)
  await mailUndoLink(tx, before, 'email_changed', origin)
}

/**
 * What a user's wish for another address brings, or the end of it: links to verify another are void, the present one
 * can undo it, and the new one gets its link later. Whether it is taken is not looked up here, where time would tell.
 */
export async function mailChangeRequest(tx: Db, user: UserRow, origin: Origin): Promise<void> {
  await deletePendingLinks(tx, user)
  if (user.pendingEmail === null) return
  await mailUndoLink(tx, user, 'email_change_requested', origin)
  await insertMail(tx, verificationRequest(user, origin, user.pendingEmail), origin)
}

/** The change has happened: the link that undoes it works for its whole time from now on, and is mailed if there is none. */
export async function keepUndoLink(tx: Db, before: LinkOwner, origin: Origin): Promise<void> {
  if ((await prolongUndoLink(tx, before)) === undefined) await mailUndoLink(tx, before, 'email_changed', origin)
}

/** Mails the user's present address a link that leads back to it; of each address there is one. */
async function mailUndoLink(
  tx: Db,
  user: LinkOwner,
  template: 'email_changed' | 'email_change_requested',
  origin: Origin
): Promise<void> {
  const { id: userId, email, emailKey, emailVerified: isVerified, passwordVersion, username } = user
  const { language = 'en' } = origin
  let tokenId = await prolongUndoLink(tx, user)
  if (tokenId === undefined) {
    const [made] = await tx
      .insert(accountTokens)
      .values({ userId, purpose: undo, email, emailKey, passwordVersion, expiresAt: undoEnd })
      .returning({ id: accountTokens.id })
    tokenId = made?.id
  }
  const variables = { username }
  await insertMail(tx, { userId, tokenId, recipient: email, isVerified, template, language, variables }, origin)
}

const undoEnd = sql`now() + make_interval(secs => ${lifetimes.email_undo})`

async function prolongUndoLink(tx: Db, { id, emailKey }: LinkOwner): Promise<string | undefined> {
  const [row] = await tx
    .update(accountTokens)
    .set({ expiresAt: undoEnd })
    .where(
      and(
        eq(accountTokens.userId, id),
        eq(accountTokens.purpose, undo),
        eq(accountTokens.emailKey, emailKey),
        gt(accountTokens.expiresAt, sql`now()`)
      )
    )
    .returning({ id: accountTokens.id })
  return row?.id
}

/** An address that a user can return to. */
export interface Return {
  userId: number
  email: string
  emailKey: string
}

/** Where a link leads back to. Neither another change nor another password has ended it: that is what it is for. */
export async function findReturn(db: Db, tokenId: string): Promise<Return | undefined> {
  const [row] = await db
    .select({ userId: accountTokens.userId, email: accountTokens.email, emailKey: accountTokens.emailKey })
    .from(accountTokens)
    .innerJoin(users, and(eq(users.id, accountTokens.userId), eq(users.isDisabled, false)))
    .where(and(eq(accountTokens.id, tokenId), eq(accountTokens.purpose, undo), gt(accountTokens.expiresAt, sql`now()`)))
  return row?.email == null ? undefined : { ...row, email: row.email }
}

/**
 * Takes away the link that was used, and the user's others, but for those that lead back further: who changed the
 * address twice must not end the first undo by the second.
 */
export async function deleteLinksSince(tx: Db, tokenId: string, userId: number): Promise<void> {
  const { id, createdAt } = accountTokens
  const made = tx.select({ createdAt }).from(accountTokens).where(eq(id, tokenId))
  await tx
    .delete(accountTokens)
    .where(and(eq(accountTokens.userId, userId), or(ne(accountTokens.purpose, undo), sql`${createdAt} >= (${made})`)))
}
