import type { Config } from './config/config.ts'
import type { Db } from './database/database.ts'
import { Problem } from './errors.ts'
import { createEmailLinkFactor } from './factors/email-link.ts'
import { createPasswordFactor } from './factors/password.ts'
import type { Keyring } from './keys/keyring.ts'
import type { Mechanisms } from './mechanisms.ts'
import { changePassword } from './operations/change-password.ts'
import { deleteAccount } from './operations/delete-account.ts'
import { disownEmail } from './operations/disown-email.ts'
import { expireAccounts } from './operations/expire-accounts.ts'
import { exportAccount } from './operations/export-account.ts'
import { logIn } from './operations/log-in.ts'
import { logOut } from './operations/log-out.ts'
import { reauthenticate } from './operations/reauthenticate.ts'
import { refresh } from './operations/refresh.ts'
import { register } from './operations/register.ts'
import { forgotPassword, resetPassword } from './operations/reset-password.ts'
import { endOtherSessions, endSession, listSessions } from './operations/sessions.ts'
import { undoEmailChange } from './operations/undo-email-change.ts'
import { requestUnlock, unlock } from './operations/unlock.ts'
import { changeUsername, updateProfile } from './operations/update-profile.ts'
import { requestEmailVerification, verifyEmail } from './operations/verify-email.ts'
import {
  addClientSecret,
  createClient,
  deleteClient,
  endClientSecret,
  getClient,
  listClients,
  updateClient
} from './operations/admin/clients.ts'
import { createUserWithPassword } from './operations/admin/create-user.ts'
import {
  countMatchingSessions,
  endMatchingSessions,
  endUserSessions,
  listUserSessions
} from './operations/admin/sessions.ts'
import { deleteUser, getUser, inviteUser, listAllUsers, updateUser } from './operations/admin/users.ts'
import { revokeClientToken } from './operations/oauth/revoke-client-token.ts'
import type { Hasher } from './passwords/hasher.ts'
import type { IsPwned } from './passwords/pwned.ts'
import { createFindUserByToken } from './repositories/users-by-token.ts'
import type { Revocations } from './revocation/revocations.ts'
import { createRevokingTransaction } from './revocation/transaction.ts'
import { createUnansweredRefreshes } from './sessions/unanswered-refreshes.ts'
import type { Limiter } from './throttling/limiter.ts'
import { createPasswordAttempts, uncountedAttempts } from './throttling/password-attempts.ts'
import type { AccessTokens } from './tokens/access-token.ts'
import { createDeviceTokens } from './tokens/device-token.ts'
import { createLinkTokens } from './tokens/link-token.ts'
import { createRefreshTokens } from './tokens/refresh-token.ts'
import { createPairs } from './tokens/token-pair.ts'
import type { UserPrincipal } from './tokens/claims.ts'

/** What the service is put together from. */
export interface Parts {
  config: Pick<Config, 'session' | 'requireVerifiedEmail' | 'passwordMinLength'>
  db: Db
  passwords: Hasher
  /** What only requests need: an operator's command has no keys, is not limited, and revokes by the database alone. */
  online?: {
    keyring: Keyring
    accessTokens: AccessTokens
    revocations: Pick<Revocations, 'remember' | 'listeningFor'>
    /** Absent with `RATE_LIMIT=off`. */
    limiter: Limiter | undefined
    isPwned: IsPwned | undefined
    notifyJobs: () => void
  }
}

export type Services = ReturnType<typeof createServices>

/** Puts the operations together: for the server, the command line, the bootstrap and tests alike. */
export function createServices(parts: Parts) {
  const mechanisms = createMechanisms(parts)
  return {
    register: register(mechanisms),
    logIn: logIn(mechanisms),
    refresh: refresh(mechanisms),
    logOut: logOut(mechanisms),
    reauthenticate: reauthenticate(mechanisms),
    currentUser: mechanisms.requireUser,
    updateProfile: updateProfile(mechanisms),
    changeUsername: changeUsername(mechanisms),
    changePassword: changePassword(mechanisms),
    forgotPassword: forgotPassword(mechanisms),
    resetPassword: resetPassword(mechanisms),
    requestUnlock: requestUnlock(mechanisms),
    unlock: unlock(mechanisms),
    requestEmailVerification: requestEmailVerification(mechanisms),
    verifyEmail: verifyEmail(mechanisms),
    disownEmail: disownEmail(mechanisms),
    undoEmailChange: undoEmailChange(mechanisms),
    listSessions: listSessions(mechanisms),
    endSession: endSession(mechanisms),
    endOtherSessions: endOtherSessions(mechanisms),
    exportAccount: exportAccount(mechanisms),
    deleteAccount: deleteAccount(mechanisms),
    expireAccounts: expireAccounts(mechanisms),

    createUser: createUserWithPassword(mechanisms),
    inviteUser: inviteUser(mechanisms),
    listUsers: listAllUsers(mechanisms),
    getUser: getUser(mechanisms),
    updateUser: updateUser(mechanisms),
    deleteUser: deleteUser(mechanisms),
    listUserSessions: listUserSessions(mechanisms),
    endUserSessions: endUserSessions(mechanisms),
    countMatchingSessions: countMatchingSessions(mechanisms),
    endMatchingSessions: endMatchingSessions(mechanisms),

    createClient: createClient(mechanisms),
    listClients: listClients(mechanisms),
    getClient: getClient(mechanisms),
    updateClient: updateClient(mechanisms),
    deleteClient: deleteClient(mechanisms),
    addClientSecret: addClientSecret(mechanisms),
    endClientSecret: endClientSecret(mechanisms),
    revokeClientToken: revokeClientToken(mechanisms),

    /** Finishes what must not be lost. */
    close: () => mechanisms.unanswered.close()
  }
}

function createMechanisms({ config, db, passwords, online }: Parts): Mechanisms {
  const { session: sessionLimits, requireVerifiedEmail, passwordMinLength: minLength } = config
  const keyring = online?.keyring ?? noKeyring
  const devices = createDeviceTokens(keyring)
  const linkTokens = createLinkTokens(keyring)
  const refreshTokens = createRefreshTokens(keyring)
  const notifyJobs = online?.notifyJobs ?? (() => undefined)
  const attempts =
    online?.limiter === undefined
      ? uncountedAttempts(db, devices)
      : createPasswordAttempts({ db, lifetime: sessionLimits, devices, limiter: online.limiter })
  const findUserByToken = createFindUserByToken(db, sessionLimits)
  const reachableFor = online?.revocations.listeningFor ?? (() => Infinity)

  return {
    db,
    revoking: createRevokingTransaction(db, online?.revocations),
    passwords,
    passwordPolicy: { minLength, isPwned: online?.isPwned },
    passwordFactor: createPasswordFactor({ db, passwords, attempts, requireVerifiedEmail, notifyJobs }),
    emailLink: createEmailLinkFactor(db, linkTokens),
    attempts,
    devices,
    linkTokens,
    refreshTokens,
    issuePair: online === undefined ? refuseTokens : createPairs(online.accessTokens, refreshTokens),
    unanswered: createUnansweredRefreshes({ db, limits: sessionLimits, reachableFor }),
    sessionLimits,
    loginRules: { requireVerifiedEmail },
    async requireUser(principal: UserPrincipal) {
      const user = await findUserByToken(principal)
      if (user === undefined) throw new Problem('token_revoked')
      return user
    },
    notifyJobs
  }
}

/** An operator's command issues no tokens and reads none. */
function refuseTokens(): never {
  throw new Error('There are no keys')
}

const noKeyring: Keyring = { current: refuseTokens, find: refuseTokens, close: () => undefined }
