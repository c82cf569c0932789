import type { Db } from '../database/database.ts'
import { mailAddressChange, mailChangeRequest } from '../email-links/address-changes.ts'
import { Problem } from '../errors.ts'
import { toKey } from '../names.ts'
import type { Origin } from '../origin.ts'
import { requireActor } from '../repositories/actors.ts'
import { type AuditEvent, recordEvent } from '../repositories/audit-events.ts'
import type { Revocation } from '../repositories/revocations.ts'
import { deleteSessions } from '../repositories/sessions.ts'
import {
  canAdminister,
  type LockedUser,
  lockUser,
  type LoginRules,
  type UserReference
} from '../repositories/user-locks.ts'
import { isKeptForAnother } from '../repositories/user-names.ts'
import { updateUser, type UserRow } from '../repositories/users.ts'
import { toColumn, namedColumns, type RoleColumns, roles, listRoles } from '../roles.ts'

/** What users can change of themselves. Absent properties stay as they are; null clears. */
export interface ProfileChange {
  firstName?: string | null
  secondName?: string | null
  email?: string
}

/** All that can be changed of a user. */
export interface UserChange extends ProfileChange, Partial<RoleColumns> {
  /** In its normal form. */
  username?: string
  isDisabled?: boolean
}

/** Whether another address becomes the user's at once, or is pending until its link is followed. */
type AddressChange = 'at once' | 'when verified'

/**
 * Changes a user on behalf of an administrator or an operator: another address is theirs at once, and unverified.
 * @throws {Problem} `not_found`, `permission_denied`, `token_revoked`, `email_taken`, or `last_admin` where no administrator
 * would be left who can log in
 */
export async function changeUser(
  tx: Db,
  revoked: Revocation[],
  which: UserReference,
  change: UserChange,
  origin: Origin,
  rules: LoginRules
): Promise<UserRow> {
  const locked = await lockExistingUser(tx, which, origin, rules)
  refuseBeyondScopes(origin, locked.user, change)
  return changeLockedUser(tx, revoked, locked, change, origin, rules, 'at once')
}

/**
 * Changes a locked user, with an event for each kind of change. What is already so is no change, and revokes no token.
 * Access tokens that say otherwise are revoked; a user who is disabled loses every session, too.
 * @throws {Problem} `token_revoked` where the actor is no longer what they were, `email_taken`, `last_admin`
 */
export async function changeLockedUser(
  tx: Db,
  revoked: Revocation[],
  { user, isLastAdmin }: LockedUser,
  change: UserChange,
  origin: Origin,
  rules: LoginRules,
  when: AddressChange
): Promise<UserRow> {
  await requireActor(tx, origin)
  const after: UserRow = {
    ...user,
    ...(change.username !== undefined && { username: change.username, usernameKey: toKey(change.username) }),
    firstName: change.firstName === undefined ? user.firstName : change.firstName,
    secondName: change.secondName === undefined ? user.secondName : change.secondName,
    ...(change.email !== undefined && addressAfter(user, change.email, when)),
    ...namedColumns(change),
    isDisabled: change.isDisabled ?? user.isDisabled
  }
  if (isLastAdmin && !canAdminister(after, rules)) throw new Problem('last_admin')
  const changed = await writeUser(tx, revoked, user, after, origin)
  if (changed.isDisabled && !user.isDisabled) await deleteSessions(tx, user.id, 'all')
  if (changed.emailKey !== user.emailKey) await mailAddressChange(tx, user, changed, origin)
  else if (changed.pendingEmailKey !== user.pendingEmailKey) await mailChangeRequest(tx, changed, origin)
  return changed
}

export const nothingPending = { pendingEmail: null, pendingEmailKey: null }

/** The present address drops the pending one; another is pending, or unverified. */
function addressAfter(user: UserRow, email: string, when: AddressChange): Partial<UserRow> {
  const emailKey = toKey(email)
  if (emailKey === user.emailKey) return { email, ...nothingPending }
  if (when === 'at once') return { email, emailKey, emailVerified: false, ...nothingPending }
  return emailKey === user.pendingEmailKey ? {} : { pendingEmail: email, pendingEmailKey: emailKey }
}

/**
 * Writes what a locked user is to be, in one statement, with its events; nothing where nothing differs.
 * @throws {Problem} `email_taken` for an address to which another user may still return
 */
export async function writeUser(
  tx: Db,
  revoked: Revocation[],
  before: UserRow,
  after: UserRow,
  origin: Origin
): Promise<UserRow> {
  const events = eventsFor(before, after)
  if (events.length === 0) return before
  const revokesTokens = events.some(({ type }) => type === 'user.roles_changed' || type === 'user.disabled')
  const version = revokesTokens ? before.version + 1 : before.version
  const changed = await updateUser(tx, { ...after, version })
  if (changed === undefined) throw new Problem('not_found')
  if (changed.emailKey !== before.emailKey && (await isKeptForAnother(tx, changed))) throw new Problem('email_taken')
  for (const event of events) await recordEvent(tx, origin, { ...event, userId: before.id })
  if (revokesTokens) revoked.push({ userId: before.id, version })
  return changed
}

function eventsFor(before: UserRow, after: UserRow): AuditEvent[] {
  const events: AuditEvent[] = []
  const changed = [
    ...(before.firstName === after.firstName ? [] : ['first_name']),
    ...(before.secondName === after.secondName ? [] : ['second_name'])
  ]
  if (changed.length > 0) events.push({ type: 'user.updated', details: { changed } })
  if (before.username !== after.username) {
    events.push({ type: 'user.username_changed', details: { from: before.username, to: after.username } })
  }
  events.push(...addressEventsFor(before, after))
  const [from, to] = [listRoles(before), listRoles(after)]
  if (from.join() !== to.join()) events.push({ type: 'user.roles_changed', details: { from, to } })
  if (before.isDisabled !== after.isDisabled) {
    events.push({ type: after.isDisabled ? 'user.disabled' : 'user.enabled' })
  }
  return events
}

function addressEventsFor(before: UserRow, after: UserRow): AuditEvent[] {
  const events: AuditEvent[] = []
  if (before.email !== after.email) {
    events.push({ type: 'user.email_changed', details: { from: before.email, to: after.email } })
  } else if (!before.emailVerified && after.emailVerified) {
    events.push({ type: 'user.email_verified' })
  }
  if (before.pendingEmailKey !== after.pendingEmailKey) {
    if (after.pendingEmail !== null) {
      events.push({ type: 'user.email_change_requested', details: { from: before.email, to: after.pendingEmail } })
    } else if (before.pendingEmailKey !== after.emailKey) {
      events.push({ type: 'user.email_change_dropped', details: { to: before.pendingEmail } })
    }
  }
  return events
}

/**
 * A service that may write users, and is no administrator, gives and takes no roles, and leaves administrators alone:
 * with the address of one it would be one.
 * @throws {Problem} `permission_denied`
 */
export function refuseBeyondScopes(
  { scopes }: Origin,
  user: Pick<UserRow, 'isAdmin'>,
  change: Partial<RoleColumns> = {}
): void {
  const namesRole = roles.some((role) => change[toColumn(role)] !== undefined)
  if (scopes !== undefined && (user.isAdmin || namesRole)) throw new Problem('permission_denied')
}

/** @throws {Problem} `not_found` */
export async function lockExistingUser(
  tx: Db,
  which: UserReference,
  { actorId }: Origin,
  rules: LoginRules
): Promise<LockedUser> {
  const locked = await lockUser(tx, which, rules, actorId)
  if (locked !== undefined) return locked
  throw new Problem('not_found', 'username' in which ? { detail: `There is no user ${which.username}` } : {})
}
