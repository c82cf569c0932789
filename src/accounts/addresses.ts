import { recordEvent } from '../repositories/audit-events.ts'
import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import { type InRevokingTransaction, ofSessions } from '../revocation/transaction.ts'
import { deleteSessions } from '../repositories/sessions.ts'
import type { AccountTokens } from '../tokens/link-token.ts'
import { prepareRemoval, removeUser, writeUser } from '../users/changes.ts'
import { type LockedUser, lockUser, type LoginRules } from '../repositories/user-locks.ts'
import { naming } from '../users/service.ts'
import { deleteLinksSince, findReturn, keepUndoLink } from './address-mails.ts'
import { badLink, deleteLinks, findLink, mailLink, type Purpose, useLink } from './links.ts'
import { isUnproven } from './unproven.ts'

export interface AddressesOptions {
  db: Db
  accountTokens: AccountTokens
  inRevokingTransaction: InRevokingTransaction
  /** What decides who counts as an administrator who can log in. */
  rules: LoginRules
  /** Called when mail was committed to the outbox. */
  onMail: () => void
}

const verifying: Purpose[] = ['email_verification']
const nothingPending = { pendingEmail: null, pendingEmailKey: null }

/** What the readers of a mail say about the address that it came to. The user is locked first, then their links. */
export function createAddresses({ db, accountTokens, inRevokingTransaction, rules, onMail }: AddressesOptions) {
  return {
    /**
     * The address is theirs: it is verified, or the one that was waiting becomes the user's.
     * @throws {Problem} `validation_failed` for a link that is not good (any more); `email_taken` for an address that
     * another user has had since: to the reader of the mail, that is no secret
     */
    async verifyEmail(token: string, origin: Origin): Promise<void> {
      const { tokenId, userId } = await readLink(token)
      await naming(
        inRevokingTransaction(async (tx) => {
          const { user, emailKey } = await useLocked(tx, tokenId, userId)
          if (emailKey === user.emailKey)
            return done(await writeUser(tx, user, { ...user, emailVerified: true }, origin))
          const email = user.pendingEmail ?? user.email
          const after = { ...user, email, emailKey, emailVerified: true, ...nothingPending }
          const outcome = await writeUser(tx, user, after, origin)
          await deleteLinks(tx, user.id)
          await keepUndoLink(tx, user, origin)
          return done(outcome)
        })
      )
      onMail()
    },

    /**
     * The address is theirs and the account is not: one that was never verified goes, a change that waits is dropped.
     * @throws {Problem} `validation_failed` for a link that is not good (any more), `last_admin`
     */
    async disownEmail(token: string, origin: Origin): Promise<void> {
      const { tokenId, userId, user, emailKey } = await readLink(token)
      if (emailKey === user.emailKey && (await isUnproven(db, user))) await prepareRemoval(db, userId, origin, rules)
      await inRevokingTransaction(async (tx) => {
        const { user, emailKey } = await useLocked(tx, tokenId, userId)
        const record = (outcome: string) =>
          recordEvent(tx, origin, { type: 'user.disowned', userId, details: { outcome } })
        if (emailKey !== user.emailKey) {
          await writeUser(tx, user, { ...user, ...nothingPending }, origin)
          await record('change_dropped')
          return { revoked: [], result: undefined }
        }
        if (!(await isUnproven(tx, user))) {
          await record('link_ended')
          return { revoked: [], result: undefined }
        }
        const removal = await removeUser(tx, { id: userId }, origin, rules)
        await record('account_deleted')
        return removal
      })
    },

    /**
     * The change was not theirs: the address is what it was, and everybody who is in the account is out.
     * @throws {Problem} `validation_failed` for a link that is not good (any more); `email_taken`
     */
    async undoEmailChange(token: string, origin: Origin): Promise<void> {
      const tokenId = accountTokens.read(token)
      const found = tokenId && (await findReturn(db, tokenId))
      if (!tokenId || !found) throw badLink()
      await naming(
        inRevokingTransaction(async (tx) => {
          const { user } = (await lockUser(tx, { id: found.userId })) ?? {}
          const back = await findReturn(tx, tokenId)
          if (user === undefined || back === undefined) throw badLink()
          const { email, emailKey } = back.emailKey === user.emailKey ? user : back
          const after = { ...user, email, emailKey, emailVerified: true, ...nothingPending }
          const { result: returned } = await writeUser(tx, user, after, origin)
          await deleteLinksSince(tx, tokenId, user.id)
          const ended = await deleteSessions(tx, user.id, 'all')
          const purpose = user.passwordHash === null ? 'invitation' : 'password_reset'
          // Never too many: with the password of before, whoever was thrown out would come back.
          await mailLink(tx, returned, purpose, origin.language, { ...origin, isLimited: false })
          const details = { from: user.email, to: email }
          await recordEvent(tx, origin, { type: 'user.email_change_undone', userId: user.id, details })
          return { revoked: ofSessions(ended), result: undefined }
        })
      )
      onMail()
    }
  }

  async function readLink(token: string) {
    const tokenId = accountTokens.read(token)
    const link = tokenId && (await findLink(db, tokenId, verifying))
    if (!tokenId || !link) throw badLink()
    return { tokenId, userId: link.user.id, ...link }
  }
}

const done = ({ revoked }: Awaited<ReturnType<typeof writeUser>>) => ({ revoked, result: undefined })

/** Uses a link to verify an address, with its user locked. */
async function useLocked(tx: Db, tokenId: string, id: number): Promise<LockedUser & { emailKey: string }> {
  const locked = await lockUser(tx, { id })
  const link = locked && (await useLink(tx, tokenId, verifying))
  if (locked === undefined || link === undefined) throw badLink()
  return { ...locked, emailKey: link.emailKey }
}
