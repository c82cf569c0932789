import { mailAddressChange, mailChangeRequest } from '../accounts/address-mails.ts'
import { type AuditEvent, recordEvent } from '../repositories/audit-events.ts'
import type { Origin } from '../origin.ts'
import { forgetOlderEvents, forgetUser } from '../repositories/anonymization.ts'
import type { Db } from '../database/database.ts'
import { retryingDeadlocks } from '../database/retry.ts'
import { Problem } from '../errors.ts'
import { requireActor } from '../repositories/actors.ts'
import type { Revocation } from '../repositories/revocations.ts'
import { flagsOf, type RoleFlags, roles, rolesOf } from '../roles.ts'
import { deleteSessions } from '../repositories/sessions.ts'
import { keyOf } from '../names.ts'
import { deleteUser, updateUser, type UserRow } from '../repositories/users.ts'
import {
  canAdminister,
  type LockedUser,
  lockUser,
  type LoginRules,
  type UserReference
} from '../repositories/user-locks.ts'
import { isKeptForAnother } from '../repositories/user-names.ts'

/** What of themselves users can change. Absent properties stay as they are; null clears. */
export interface ProfileChange {
  first_name?: string | null
  second_name?: string | null
  email?: string
}

/** All that can be changed of a user. */
export interface UserChange extends ProfileChange {
  /** In its normal form. */
  username?: string
  is_reader?: boolean
  is_author?: boolean
  is_admin?: boolean
  is_disabled?: boolean
}

export interface ChangeRules {
  /** Whether another address is the user's at once, or waits until its link is followed. */
  address: 'at once' | 'when confirmed'
  rules?: LoginRules
}

/** What a revoking transaction returns. */
interface Outcome<T> {
  revoked: Revocation[]
  result: T
}

/**
 * Changes a user by an administrator's or an operator's word: another address is theirs at once, and unverified.
 * @throws {Problem} `not_found`, `permission_denied`, `email_taken`, or `last_admin` where no administrator would be left who can log in
 */
export async function changeUser(
  tx: Db,
  which: UserReference,
  change: UserChange,
  origin: Origin,
  rules: LoginRules = {}
): Promise<Outcome<UserRow>> {
  const locked = await lock(tx, which, origin, rules)
  refuseBeyondScopes(origin, locked.user, change)
  return changeLockedUser(tx, locked, change, origin, { address: 'at once', rules })
}

/**
 * Changes a user, with an event for each kind of change. What is already so is no change: no token ends for it.
 * Access tokens that say otherwise become void; a user who is disabled loses every session, too.
 * @throws {Problem} `token_revoked` where the actor is no longer what they were, `email_taken`, `last_admin`
 */
export async function changeLockedUser(
  tx: Db,
  { user, isLastAdmin }: LockedUser,
  change: UserChange,
  origin: Origin,
  { address, rules = {} }: ChangeRules
): Promise<Outcome<UserRow>> {
  await requireActor(tx, origin)
  const after: UserRow = {
    ...user,
    ...(change.username !== undefined && { username: change.username, usernameKey: keyOf(change.username) }),
    firstName: change.first_name === undefined ? user.firstName : change.first_name,
    secondName: change.second_name === undefined ? user.secondName : change.second_name,
    ...(change.email !== undefined && addressAfter(user, change.email, address)),
    isReader: change.is_reader ?? user.isReader,
    isAuthor: change.is_author ?? user.isAuthor,
    isAdmin: change.is_admin ?? user.isAdmin,
    isDisabled: change.is_disabled ?? user.isDisabled
  }
  if (isLastAdmin && !canAdminister(after, rules)) throw new Problem('last_admin')
  const outcome = await writeUser(tx, user, after, origin)
  const changed = outcome.result
  if (changed.isDisabled && !user.isDisabled) await deleteSessions(tx, user.id, 'all')
  if (changed.emailKey !== user.emailKey) await mailAddressChange(tx, user, changed, origin)
  else if (changed.pendingEmailKey !== user.pendingEmailKey) await mailChangeRequest(tx, changed, origin)
  return outcome
}

/** Another address waits, or is unverified; to ask for the present one drops the one that waits. */
function addressAfter(user: UserRow, email: string, when: ChangeRules['address']): Partial<UserRow> {
  const emailKey = keyOf(email)
  const nothingPending = { pendingEmail: null, pendingEmailKey: null }
  if (emailKey === user.emailKey) return { email, ...nothingPending }
  if (when === 'at once') return { email, emailKey, emailVerified: false, ...nothingPending }
  return emailKey === user.pendingEmailKey ? {} : { pendingEmail: email, pendingEmailKey: emailKey }
}

/**
 * Writes what a locked user is to be, in one statement, with its events; nothing where nothing differs.
 * @throws {Problem} `email_taken` for an address to which another user may still return
 */
export async function writeUser(tx: Db, before: UserRow, after: UserRow, origin: Origin): Promise<Outcome<UserRow>> {
  const events = eventsOf(before, after)
  if (events.length === 0) return { revoked: [], result: before }
  const endsTokens = events.some(({ type }) => type === 'user.roles_changed' || type === 'user.disabled')
  const changed = await updateUser(tx, before.id, {
    username: after.username,
    usernameKey: after.usernameKey,
    firstName: after.firstName,
    secondName: after.secondName,
    email: after.email,
    emailKey: after.emailKey,
    emailVerified: after.emailVerified,
    pendingEmail: after.pendingEmail,
    pendingEmailKey: after.pendingEmailKey,
    isReader: after.isReader,
    isAuthor: after.isAuthor,
    isAdmin: after.isAdmin,
    isDisabled: after.isDisabled,
    version: endsTokens ? before.version + 1 : before.version
  })
  if (changed === undefined) throw new Problem('not_found')
  if (changed.emailKey !== before.emailKey && (await isKeptForAnother(tx, changed))) throw new Problem('email_taken')
  for (const event of events) await recordEvent(tx, origin, { ...event, userId: before.id })
  return { revoked: endsTokens ? [{ userId: before.id, version: changed.version }] : [], result: changed }
}

function eventsOf(before: UserRow, after: UserRow): AuditEvent[] {
  const events: AuditEvent[] = []
  const changed = [
    ...(before.firstName === after.firstName ? [] : ['first_name']),
    ...(before.secondName === after.secondName ? [] : ['second_name'])
  ]
  if (changed.length > 0) events.push({ type: 'user.updated', details: { changed } })
  if (before.username !== after.username) {
    events.push({ type: 'user.username_changed', details: { from: before.username, to: after.username } })
  }
  events.push(...addressEventsOf(before, after))
  const [from, to] = [rolesOf(flagsOf(before)), rolesOf(flagsOf(after))]
  if (from.join() !== to.join()) events.push({ type: 'user.roles_changed', details: { from, to } })
  if (before.isDisabled !== after.isDisabled) {
    events.push({ type: after.isDisabled ? 'user.disabled' : 'user.enabled' })
  }
  return events
}

function addressEventsOf(before: UserRow, after: UserRow): AuditEvent[] {
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
 * What comes before the removal of a user, outside its transaction.
 * @throws {Problem} as the removal will
 */
export async function prepareRemoval(db: Db, id: number, origin: Origin, rules: LoginRules = {}): Promise<void> {
  await retryingDeadlocks(() => db.transaction((tx) => lockForRemoval(tx, { id }, origin, rules)))
  while (await forgetOlderEvents(db, id));
}

/**
 * Deletes a user with their sessions. Their tokens die at once; what the audit keeps of them names no one.
 * @throws {Problem} `not_found`, `last_admin`, `permission_denied`
 */
export async function removeUser(
  tx: Db,
  which: UserReference,
  origin: Origin,
  rules: LoginRules = {}
): Promise<Outcome<void>> {
  const user = await lockForRemoval(tx, which, origin, rules)
  await requireActor(tx, origin)
  await deleteUser(tx, user.id)
  await forgetUser(tx, user.id)
  const isTheirOwn = origin.actorId === user.id
  await recordEvent(tx, isTheirOwn ? { actorId: user.id } : origin, { type: 'user.deleted', userId: user.id })
  return { revoked: [{ userId: user.id, version: user.version + 1 }], result: undefined }
}

async function lockForRemoval(tx: Db, which: UserReference, origin: Origin, rules: LoginRules): Promise<UserRow> {
  const { user, isLastAdmin } = await lock(tx, which, origin, rules)
  refuseBeyondScopes(origin, user)
  if (isLastAdmin) throw new Problem('last_admin')
  return user
}

/**
 * A service that may write users, and is no administrator, gives and takes no roles, and leaves administrators alone:
 * with the address of one it would be one.
 * @throws {Problem} `permission_denied`
 */
export function refuseBeyondScopes(
  { scopes }: Origin,
  user: Pick<UserRow, 'isAdmin'>,
  change: Partial<RoleFlags> = {}
): void {
  const namesRole = roles.some((role) => change[`is_${role}`] !== undefined)
  if (scopes !== undefined && (user.isAdmin || namesRole)) throw new Problem('permission_denied')
}

async function lock(tx: Db, which: UserReference, { actorId }: Origin, rules: LoginRules) {
  const locked = await lockUser(tx, which, rules, actorId)
  if (locked !== undefined) return locked
  throw new Problem('not_found', 'username' in which ? { detail: `There is no user ${which.username}` } : {})
}
