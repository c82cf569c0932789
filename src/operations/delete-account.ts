import type { Mechanisms } from '../mechanisms.ts'
import type { Origin } from '../origin.ts'
import type { UserPrincipal } from '../tokens/claims.ts'
import { prepareRemoval, removeUser } from '../users/removal.ts'

/** @throws {Problem} `rate_limited`, `invalid_credentials` for a wrong password, `last_admin`, `token_revoked`, `overloaded` */
export const deleteAccount =
  ({ db, revoking, requireUser, passwordFactor, attempts, loginRules }: Mechanisms) =>
  async (principal: UserPrincipal, password: string, origin: Origin): Promise<void> => {
    const user = await requireUser(principal)
    const authentication = await passwordFactor.confirm(user, principal.sessionId, password, origin)
    await prepareRemoval(db, user.id, origin, loginRules)
    await revoking(async (tx, revoked) => {
      await authentication.complete(tx)
      await attempts.forget(tx, user.id)
      await removeUser(tx, revoked, { id: user.id }, origin, loginRules)
    })
  }
