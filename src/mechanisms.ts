import type { Config } from './config/config.ts'
import type { Db } from './database/database.ts'
import { Problem } from './errors.ts'
import { createEmailLinkFactor } from './factors/email-link.ts'
import { createPasswordFactor } from './factors/password.ts'
import type { Keyring } from './keys/keyring.ts'
import type { Hasher } from './passwords/hasher.ts'
import type { IsPwned } from './passwords/pwned.ts'
import { createFindUserByToken } from './repositories/users-by-token.ts'
import type { Revocations } from './revocation/revocations.ts'
import { createRevokingTransaction } from './revocation/transaction.ts'
import { createUnansweredRefreshes } from './sessions/unanswered-refreshes.ts'
import type { Limiter } from './throttling/limiter.ts'
import { createPasswordAttempts, uncountedAttempts } from './throttling/password-attempts.ts'
import type { AccessTokenOptions } from './tokens/access-token.ts'
import { createPairs } from './tokens/token-pair.ts'
import { createTokens, type Tokens } from './tokens/tokens.ts'
import type { UserPrincipal } from './tokens/claims.ts'

export type Mechanisms = ReturnType<typeof createMechanisms>

/** What the service is put together from. */
export interface Parts {
  config: Pick<Config, 'session' | 'requireVerifiedEmail' | 'passwordMinLength' | keyof AccessTokenOptions>
  db: Db
  passwords: Hasher
  /** What only requests need: an operator's command has no keys, is not limited, and revokes by the database alone. */
  online?: {
    tokens: Tokens
    revocations: Pick<Revocations, 'remember' | 'listeningFor'>
    /** Absent with `RATE_LIMIT=off`. */
    limiter: Limiter | undefined
    isPwned: IsPwned | undefined
    notifyJobs: () => void
  }
}

/** What operations are made of. */
export function createMechanisms({ config, db, passwords, online }: Parts) {
  const { session: sessionLimits, requireVerifiedEmail, passwordMinLength: minLength } = config
  const tokens = online?.tokens ?? createTokens(noKeyring, config)
  const notifyJobs = online?.notifyJobs ?? (() => undefined)
  const attempts =
    online?.limiter === undefined
      ? uncountedAttempts(db, tokens.devices)
      : createPasswordAttempts({ db, lifetime: sessionLimits, devices: tokens.devices, limiter: online.limiter })
  const findUserByToken = createFindUserByToken(db, sessionLimits)
  const reachableFor = online?.revocations.listeningFor ?? (() => Infinity)

  return {
    db,
    /** Runs a transaction that revokes tokens. */
    revoking: createRevokingTransaction(db, online?.revocations),
    passwords,
    passwordPolicy: { minLength, isPwned: online?.isPwned },
    passwordFactor: createPasswordFactor({ db, passwords, attempts, requireVerifiedEmail, notifyJobs }),
    emailLink: createEmailLinkFactor(db, tokens.links),
    attempts,
    tokens,
    issuePair: createPairs(tokens),
    unanswered: createUnansweredRefreshes({ db, limits: sessionLimits, reachableFor }),
    sessionLimits,
    loginRules: { requireVerifiedEmail },
    /**
     * The caller as the database has them now.
     * @throws {Problem} `token_revoked` if the session has ended, or the user was disabled, deleted or changed since
     */
    requireUser: async (principal: UserPrincipal) => {
      const user = await findUserByToken(principal)
      if (user === undefined) throw new Problem('token_revoked')
      return user
    },
    /** To be called when a job was committed, so that it is done at once. */
    notifyJobs
  }
}

/** An operator's command issues no tokens and reads none. */
function refuseTokens(): never {
  throw new Error('There are no keys')
}

const noKeyring: Keyring = { current: refuseTokens, find: refuseTokens, close: () => undefined }
