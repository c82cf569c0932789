import type { SessionLimits } from './config/config.ts'
import type { Db } from './database/database.ts'
import type { EmailLinkFactor } from './factors/email-link.ts'
import type { PasswordFactor } from './factors/password.ts'
import type { Hasher } from './passwords/hasher.ts'
import type { PasswordPolicy } from './passwords/policy.ts'
import type { LoginRules } from './repositories/user-locks.ts'
import type { UserRow } from './repositories/users.ts'
import type { RevokingTransaction } from './revocation/transaction.ts'
import type { UnansweredRefreshes } from './sessions/unanswered-refreshes.ts'
import type { PasswordAttempts } from './throttling/password-attempts.ts'
import type { UserPrincipal } from './tokens/claims.ts'
import type { DeviceTokens } from './tokens/device-token.ts'
import type { LinkTokens } from './tokens/link-token.ts'
import type { RefreshTokens } from './tokens/refresh-token.ts'
import type { IssuePair } from './tokens/token-pair.ts'

/** What operations are made of: src/services.ts puts it together. */
export interface Mechanisms {
  db: Db
  /** Runs a transaction that revokes tokens. */
  revoking: RevokingTransaction
  passwords: Hasher
  passwordPolicy: PasswordPolicy
  passwordFactor: PasswordFactor
  emailLink: EmailLinkFactor
  attempts: PasswordAttempts
  devices: DeviceTokens
  linkTokens: LinkTokens
  refreshTokens: RefreshTokens
  issuePair: IssuePair
  unanswered: UnansweredRefreshes
  sessionLimits: SessionLimits
  loginRules: LoginRules
  /**
   * The caller as the database has them now.
   * @throws {Problem} `token_revoked` if the session has ended, or the user was disabled, deleted or changed since
   */
  requireUser: (principal: UserPrincipal) => Promise<UserRow>
  /** Called when a job was committed, so that it is done at once. */
  notifyJobs: () => void
}
