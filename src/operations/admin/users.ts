import type { Page } from '../../database/pagination.ts'
import { sendInvitation } from '../../email-links/links.ts'
import { Problem } from '../../errors.ts'
import type { Mechanisms } from '../../mechanisms.ts'
import type { Origin } from '../../origin.ts'
import { requireActor } from '../../repositories/actors.ts'
import { findCursorAfter, listUsers, type UserQuery, type UserSort } from '../../repositories/user-list.ts'
import type { UserReference } from '../../repositories/user-locks.ts'
import { refuseTakenNames } from '../../repositories/user-names.ts'
import { findUserByLogin, requireUserById, type UserRow } from '../../repositories/users.ts'
import { toColumn, defaultRoles, roles } from '../../roles.ts'
import { changeUser, refuseBeyondScopes, type UserChange } from '../../users/changes.ts'
import { createUser, type NewUser, newUserRow } from '../../users/creation.ts'
import { prepareRemoval, removeUser } from '../../users/removal.ts'

/** @throws {InvalidInput} for a cursor of another list */
export const listAllUsers =
  ({ db }: Mechanisms) =>
  (query: UserQuery): Promise<Page<UserRow>> =>
    listUsers(db, query)

/** A cursor for the users after one, in an order. @throws {Problem} `not_found` */
export const cursorAfterUser =
  ({ db }: Mechanisms) =>
  async (id: number, sort: UserSort): Promise<string> => {
    const cursor = await findCursorAfter(db, id, sort)
    if (cursor === undefined) throw new Problem('not_found')
    return cursor
  }

/** @throws {Problem} `not_found` */
export const getUser =
  ({ db }: Mechanisms) =>
  (id: number): Promise<UserRow> =>
    requireUserById(db, id)

/** By username or e-mail address. @throws {Problem} `not_found` */
export const getUserByLogin =
  ({ db }: Mechanisms) =>
  async (login: string): Promise<UserRow> => {
    const user = await findUserByLogin(db, login)
    if (user === undefined) throw new Problem('not_found')
    return user
  }

/**
 * Creates a user who has no password yet, and mails them a link to set one.
 * @throws {InvalidInput}
 * @throws {Problem} `permission_denied`, `username_taken`, `email_taken`, `rate_limited`
 */
export const inviteUser =
  ({ db, notifyJobs }: Mechanisms) =>
  async (invitation: NewUser, origin: Origin): Promise<UserRow> => {
    const row = newUserRow(invitation)
    // The default roles are nobody's to give: any other is.
    const isDefault = roles.every((role) => row[toColumn(role)] === defaultRoles[toColumn(role)])
    refuseBeyondScopes(origin, row, isDefault ? {} : row)
    const invited = await refuseTakenNames(
      db.transaction(async (tx) => {
        await requireActor(tx, origin)
        const user = await createUser(tx, row, 'user.invited', origin)
        await sendInvitation(tx, user, origin)
        return user
      })
    )
    notifyJobs()
    return invited
  }

/** @throws {Problem} `not_found`, `permission_denied`, `email_taken`, `last_admin` */
export const updateUser =
  ({ revoking, loginRules, notifyJobs }: Mechanisms) =>
  async (which: UserReference, change: UserChange, origin: Origin): Promise<UserRow> => {
    const updated = await refuseTakenNames(
      revoking((tx, revoked) => changeUser(tx, revoked, which, change, origin, loginRules))
    )
    if (change.email !== undefined) notifyJobs()
    return updated
  }

/** @throws {Problem} `not_found`, `permission_denied`, `last_admin` */
export const deleteUser =
  ({ db, revoking, loginRules }: Mechanisms) =>
  async (id: number, origin: Origin): Promise<void> => {
    await prepareRemoval(db, id, origin, loginRules)
    await revoking((tx, revoked) => removeUser(tx, revoked, { id }, origin, loginRules))
  }
