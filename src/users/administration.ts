import { sendInvitation } from '../accounts/links.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import type { Origin } from '../origin.ts'
import type { Page } from '../database/pagination.ts'
import type { Db } from '../database/database.ts'
import { Problem } from '../errors.ts'
import { requireActor } from '../repositories/actors.ts'
import { type InRevokingTransaction, ofSessions } from '../revocation/transaction.ts'
import { flagsOf, rolesOf } from '../roles.ts'
import { countSessions, endSessions, type SessionFilter } from '../sessions/bulk.ts'
import { deleteSessions, findSessions } from '../repositories/sessions.ts'
import type { SessionLimits } from '../config/config.ts'
import { changeUser, prepareRemoval, refuseBeyondScopes, removeUser, type UserChange } from './changes.ts'
import { listUsers, type UserQuery } from '../repositories/user-list.ts'
import { isEmail, keyOf } from '../names.ts'
import { findUser, insertUser, type UserRow } from '../repositories/users.ts'
import type { LoginRules } from '../repositories/user-locks.ts'
import { isKeptForAnother } from '../repositories/user-names.ts'
import { naming, readUsername } from './service.ts'

export interface Invitation {
  username: string
  email: string
  first_name?: string | null
  second_name?: string | null
  is_reader?: boolean
  is_author?: boolean
  is_admin?: boolean
}

export interface AdministrationOptions {
  db: Db
  inRevokingTransaction: InRevokingTransaction
  limits: SessionLimits
  /** What decides who counts as an administrator who can log in. */
  rules: LoginRules
  /** Called when mail was committed to the outbox. */
  onMail: () => void
}

export type Administration = ReturnType<typeof createAdministration>

/** What administrators do to others. Who may is the routes' concern. */
export function createAdministration({ db, inRevokingTransaction, limits, rules, onMail }: AdministrationOptions) {
  return {
    /** @throws {Problem} `validation_failed` for a cursor that is none of this list */
    list: (query: UserQuery): Promise<Page<UserRow>> => listUsers(db, query),

    find,

    /**
     * Makes a user who has no password yet, and mails them a link to set one.
     * @throws {Problem} `validation_failed`, `permission_denied`, `username_taken`, `email_taken`
     */
    async invite(invitation: Invitation, origin: Origin): Promise<UserRow> {
      const { email, is_reader: isReader = true, is_author: isAuthor = false, is_admin: isAdmin = false } = invitation
      const username = readUsername(invitation.username)
      if (!isEmail(email)) throw Problem.validation([{ path: '/body/email', message: 'must be a valid email' }])
      const row = {
        username,
        usernameKey: keyOf(username),
        firstName: invitation.first_name ?? null,
        secondName: invitation.second_name ?? null,
        email,
        emailKey: keyOf(email),
        isReader,
        isAuthor,
        isAdmin
      }
      // A new user is a reader and nothing else: any other role is given.
      refuseBeyondScopes(origin, row, isReader && !isAuthor ? {} : invitation)
      const details = { roles: rolesOf(flagsOf(row)) }
      const invited = await naming(
        db.transaction(async (tx) => {
          await requireActor(tx, origin)
          const user = await insertUser(tx, row)
          if (await isKeptForAnother(tx, user)) throw new Problem('email_taken')
          await recordEvent(tx, origin, { type: 'user.invited', userId: user.id, details })
          await sendInvitation(tx, user, origin)
          return user
        })
      )
      onMail()
      return invited
    },

    /** @throws {Problem} `not_found`, `email_taken`, `last_admin` */
    async update(id: number, change: UserChange, origin: Origin): Promise<UserRow> {
      const updated = await naming(inRevokingTransaction((tx) => changeUser(tx, { id }, change, origin, rules)))
      if (change.email !== undefined) onMail()
      return updated
    },

    /** @throws {Problem} `not_found`, `last_admin` */
    async remove(id: number, origin: Origin): Promise<void> {
      await prepareRemoval(db, id, origin, rules)
      await inRevokingTransaction((tx) => removeUser(tx, { id }, origin, rules))
    },

    /** @throws {Problem} `not_found` */
    async sessionsOf(id: number) {
      await find(id)
      return findSessions(db, id, limits)
    },

    /** Logs a user out everywhere. @throws {Problem} `not_found` */
    async endSessionsOf(id: number, origin: Origin): Promise<void> {
      await find(id)
      await inRevokingTransaction(async (tx) => {
        await requireActor(tx, origin)
        const ended = await deleteSessions(tx, id, 'all')
        const event = { type: 'session.revoked', userId: id, details: { session_ids: ended } } as const
        if (ended.length > 0) await recordEvent(tx, origin, event)
        return { revoked: ofSessions(ended), result: undefined }
      })
    },

    countSessions: (filter: SessionFilter): Promise<number> => countSessions(db, filter),

    endSessions: (filter: SessionFilter, origin: Origin): Promise<number> =>
      endSessions(db, inRevokingTransaction, filter, origin)
  }

  async function find(id: number): Promise<UserRow> {
    const user = await findUser(db, id)
    if (user === undefined) throw new Problem('not_found')
    return user
  }
}
