import { mailAddressChange } from '../accounts/links.ts'
import { type AuditEvent, type Origin, recordEvent } from '../audit/events.ts'
import { forgetOlderEvents, forgetUser } from '../audit/forgetting.ts'
import type { Db } from '../database/database.ts'
import { retryingDeadlocks } from '../database/retry.ts'
import { Problem } from '../errors.ts'
import { requireActor } from '../revocation/actor.ts'
import type { Revocation } from '../revocation/queries.ts'
import { flagsOf, rolesOf } from '../roles/roles.ts'
import { deleteSessions } from '../sessions/queries.ts'
import { keyOf } from './names.ts'
import { deleteUser, lockUser, updateUser, type UserReference, type UserRow } from './queries.ts'

/** What an administrator or an operator can change. Absent properties stay as they are; null clears. */
export interface UserChange {
  first_name?: string | null
  second_name?: string | null
  email?: string
  is_reader?: boolean
  is_author?: boolean
  is_admin?: boolean
  is_disabled?: boolean
}

/** What a revoking transaction returns. */
interface Outcome<T> {
  revoked: Revocation[]
  result: T
}

/**
 * Changes a user, with an event for each kind of change. What is already so is no change: no token ends for it.
 * Access tokens that say otherwise become void; a user who is disabled loses every session, too.
 * @throws {Problem} `not_found`, or `last_admin` where no enabled administrator would be left
 */
export async function changeUser(
  tx: Db,
  which: UserReference,
  change: UserChange,
  origin: Origin
): Promise<Outcome<UserRow>> {
  const { user, isLastAdmin } = await lock(tx, which)
  await requireActor(tx, origin)
  const after: UserRow = {
    ...user,
    firstName: change.first_name === undefined ? user.firstName : change.first_name,
    secondName: change.second_name === undefined ? user.secondName : change.second_name,
    email: change.email ?? user.email,
    emailKey: change.email === undefined ? user.emailKey : keyOf(change.email),
    isReader: change.is_reader ?? user.isReader,
    isAuthor: change.is_author ?? user.isAuthor,
    isAdmin: change.is_admin ?? user.isAdmin,
    isDisabled: change.is_disabled ?? user.isDisabled
  }
  if (isLastAdmin && (!after.isAdmin || after.isDisabled)) throw new Problem('last_admin')
  const events = eventsOf(user, after)
  if (events.length === 0) return { revoked: [], result: user }

  const endsTokens = events.some(({ type }) => type === 'user.roles_changed' || type === 'user.disabled')
  const changed = await updateUser(tx, user.id, {
    firstName: after.firstName,
    secondName: after.secondName,
    email: after.email,
    emailKey: after.emailKey,
    emailVerified: user.emailVerified && after.emailKey === user.emailKey,
    isReader: after.isReader,
    isAuthor: after.isAuthor,
    isAdmin: after.isAdmin,
    isDisabled: after.isDisabled,
    version: endsTokens ? user.version + 1 : user.version
  })
  if (changed === undefined) throw new Problem('not_found')
  if (changed.isDisabled && !user.isDisabled) await deleteSessions(tx, user.id, 'all')
  if (changed.emailKey !== user.emailKey) await mailAddressChange(tx, user, changed, origin.language)
  for (const event of events) await recordEvent(tx, origin, { ...event, userId: user.id })
  return { revoked: endsTokens ? [{ userId: user.id, version: changed.version }] : [], result: changed }
}

function eventsOf(before: UserRow, after: UserRow): AuditEvent[] {
  const events: AuditEvent[] = []
  const changed = [
    ...(before.firstName === after.firstName ? [] : ['first_name']),
    ...(before.secondName === after.secondName ? [] : ['second_name'])
  ]
  if (changed.length > 0) events.push({ type: 'user.updated', details: { changed } })
  if (before.email !== after.email) {
    events.push({ type: 'user.email_changed', details: { from: before.email, to: after.email } })
  }
  const [from, to] = [rolesOf(flagsOf(before)), rolesOf(flagsOf(after))]
  if (from.join() !== to.join()) events.push({ type: 'user.roles_changed', details: { from, to } })
  if (before.isDisabled !== after.isDisabled) {
    events.push({ type: after.isDisabled ? 'user.disabled' : 'user.enabled' })
  }
  return events
}

/**
 * What comes before the removal of a user, outside its transaction.
 * @throws {Problem} as the removal will
 */
export async function prepareRemoval(db: Db, id: number): Promise<void> {
  await retryingDeadlocks(() => db.transaction((tx) => lockForRemoval(tx, { id })))
  while (await forgetOlderEvents(db, id));
}

/**
 * Deletes a user with their sessions. Their tokens die at once; what the audit keeps of them names no one.
 * @throws {Problem} `not_found`, or `last_admin`
 */
export async function removeUser(tx: Db, which: UserReference, origin: Origin): Promise<Outcome<void>> {
  const user = await lockForRemoval(tx, which)
  await requireActor(tx, origin)
  await deleteUser(tx, user.id)
  await forgetUser(tx, user.id)
  const isTheirOwn = origin.actorId === user.id
  await recordEvent(tx, isTheirOwn ? { actorId: user.id } : origin, { type: 'user.deleted', userId: user.id })
  return { revoked: [{ userId: user.id, version: user.version + 1 }], result: undefined }
}

async function lockForRemoval(tx: Db, which: UserReference): Promise<UserRow> {
  const { user, isLastAdmin } = await lock(tx, which)
  if (isLastAdmin) throw new Problem('last_admin')
  return user
}

async function lock(tx: Db, which: UserReference) {
  const locked = await lockUser(tx, which)
  if (locked !== undefined) return locked
  throw new Problem('not_found', 'username' in which ? { detail: `There is no user ${which.username}` } : {})
}
