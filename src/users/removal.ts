import type { Db } from '../database/database.ts'
import { retryingDeadlocks } from '../database/retry.ts'
import { Problem } from '../errors.ts'
import type { Origin } from '../origin.ts'
import { requireActor } from '../repositories/actors.ts'
import { anonymizeEvents, anonymizeOlderEvents } from '../repositories/anonymization.ts'
import { recordEvent } from '../repositories/audit-events.ts'
import type { Revocation } from '../repositories/revocations.ts'
import type { LoginRules, UserReference } from '../repositories/user-locks.ts'
import { deleteUser, type UserRow } from '../repositories/users.ts'
import { lockExistingUser, refuseBeyondScopes } from './changes.ts'

/**
 * Does what comes before the removal of a user, outside its transaction.
 * @throws {Problem} as the removal will
 */
export async function prepareRemoval(db: Db, id: number, origin: Origin, rules: LoginRules): Promise<void> {
  await retryingDeadlocks(() => db.transaction((tx) => lockForRemoval(tx, { id }, origin, rules)))
  while (await anonymizeOlderEvents(db, id));
}

/**
 * Deletes a user with their sessions. Their tokens are revoked; what the audit log keeps of them names no one.
 * @throws {Problem} `not_found`, `last_admin`, `permission_denied`, `token_revoked`
 */
export async function removeUser(
  tx: Db,
  revoked: Revocation[],
  which: UserReference,
  origin: Origin,
  rules: LoginRules
): Promise<void> {
  const user = await lockForRemoval(tx, which, origin, rules)
  await requireActor(tx, origin)
  await deleteUser(tx, user.id)
  await anonymizeEvents(tx, user.id)
  const isTheirOwn = origin.actorId === user.id
  await recordEvent(tx, isTheirOwn ? { actorId: user.id } : origin, { type: 'user.deleted', userId: user.id })
  revoked.push({ userId: user.id, version: user.version + 1 })
}

async function lockForRemoval(tx: Db, which: UserReference, origin: Origin, rules: LoginRules): Promise<UserRow> {
  const { user, isLastAdmin } = await lockExistingUser(tx, which, origin, rules)
  refuseBeyondScopes(origin, user)
  if (isLastAdmin) throw new Problem('last_admin')
  return user
}
