import { and, eq, sql } from 'drizzle-orm'
import { recordEvent } from '../repositories/audit-events.ts'
import type { Origin } from '../origin.ts'
import type { Db } from '../database/database.ts'
import { users } from '../database/schema/index.ts'
import { Problem } from '../errors.ts'
import type { PasswordAttempts } from '../throttling/password-attempts.ts'
import type { Hasher } from '../passwords/hasher.ts'
import { insertMail } from '../mail/outbox.ts'
import { checkPassword, type PasswordPolicy } from '../passwords/policy.ts'
import { type InRevokingTransaction, ofSessions } from '../revocation/transaction.ts'
import { deleteSessions } from '../repositories/sessions.ts'
import type { AccountTokens } from '../tokens/link-token.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import type { FindUserOfToken } from '../repositories/users-by-token.ts'
import { changePasswordHash } from '../repositories/user-passwords.ts'
import { lockUser, type LoginRules } from '../repositories/user-locks.ts'
import { createAddresses } from './addresses.ts'
import { badLink, deleteLinks, findLink, mailLink, noticeTo, type Purpose, useLink } from './links.ts'
import { recordEventWithMail, requestPasswordReset, verificationRequest } from './requests.ts'
import { deleteUnproven } from './unproven.ts'

export interface PasswordReset {
  /** Of a link that was mailed. */
  token: string
  new_password: string
}

export interface AccountsOptions {
  db: Db
  passwords: Hasher
  accountTokens: AccountTokens
  findUserOfToken: FindUserOfToken
  passwordPolicy: PasswordPolicy
  attempts: Pick<PasswordAttempts, 'forget'>
  /** What decides who counts as an administrator who can log in. */
  rules: LoginRules
  inRevokingTransaction: InRevokingTransaction
  /** Called when mail was committed to the outbox. */
  onMail: () => void
}

export type Accounts = ReturnType<typeof createAccounts>

const settingPasswords: Purpose[] = ['password_reset', 'invitation']

/** What people do by mail: choose another password, verify their address, or say that a change was not theirs. */
export function createAccounts({
  db,
  passwords,
  accountTokens,
  findUserOfToken,
  passwordPolicy,
  attempts,
  rules,
  inRevokingTransaction,
  onMail
}: AccountsOptions) {
  return {
    /** Mails a link to set another password, if somebody who may log in has the address. Neither the time nor the outcome tells. */
    async forgotPassword(email: string, origin: Origin): Promise<void> {
      await requestPasswordReset(db, email, origin)
      onMail()
    },

    /**
     * Sets a password by a link that was mailed, and ends every session of the user. That the mail came verifies the address.
     * @throws {Problem} `validation_failed` for a link that is not good (any more), which then is as good as it was, or a weak password; `overloaded`
     */
    async resetPassword({ token, new_password: password }: PasswordReset, origin: Origin): Promise<void> {
      const tokenId = accountTokens.read(token)
      const link = tokenId && (await findLink(db, tokenId, settingPasswords))
      if (!tokenId || !link) throw badLink()
      const { user } = link
      await checkPassword(password, user, passwordPolicy, '/body/new_password')
      const passwordHash = await passwords.hash(password)
      await inRevokingTransaction(async (tx) => {
        await attempts.forget(tx, user.id)
        const used = await useLink(tx, tokenId, settingPasswords)
        const changed = used && (await changePasswordHash(tx, user, passwordHash))
        if (!changed || !(await markVerified(tx, user))) throw badLink()
        await deleteLinks(tx, user.id)
        const ended = await deleteSessions(tx, user.id, 'all')
        await insertMail(tx, noticeTo(changed, 'password_changed', origin.language), origin)
        await recordEvent(tx, origin, {
          type: used.purpose === 'invitation' ? 'user.invitation_accepted' : 'user.password_reset',
          userId: user.id
        })
        return { revoked: ofSessions(ended), result: undefined }
      })
      onMail()
    },

    /**
     * Mails the caller the link to verify their address again, unless that is done; the link to the one that waits, if
     * one does. Whether that is taken is found out later, where time does not tell.
     * @throws {Problem} `token_revoked`
     */
    async requestVerification(principal: UserPrincipal, origin: Origin): Promise<void> {
      const user = await findUserOfToken(principal)
      if (user === undefined) throw new Problem('token_revoked')
      const event = { type: 'user.email_verification_requested', userId: user.id } as const
      if (user.pendingEmail !== null) {
        await recordEventWithMail(db, origin, event, verificationRequest(user, origin, user.pendingEmail))
      } else if (!user.emailVerified) {
        await db.transaction(async (tx) => {
          const { user: present } = (await lockUser(tx, { id: user.id })) ?? {}
          if (present === undefined || present.emailVerified) return
          await mailLink(tx, present, 'email_verification', origin.language, origin)
          await recordEvent(tx, origin, event)
        })
      }
      onMail()
    },

    /**
     * Deletes the accounts that were registered so many days ago and that nobody has verified or logged in to since.
     * @returns how many are gone
     */
    expire: (days: number): Promise<number> => deleteUnproven({ db, inRevokingTransaction, rules }, days),

    ...createAddresses({ db, accountTokens, inRevokingTransaction, rules, onMail })
  }
}

/** The address that was mailed to, if it is still the user's. */
async function markVerified(tx: Db, user: { id: number; emailKey: string }): Promise<boolean> {
  const rows = await tx
    .update(users)
    .set({ emailVerified: true, updatedAt: sql`now()` })
    .where(and(eq(users.id, user.id), eq(users.emailKey, user.emailKey)))
    .returning({ id: users.id })
  return rows.length > 0
}
