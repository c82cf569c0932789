import fp from 'fastify-plugin'
import { type Accounts, createAccounts } from '../src/accounts/service.ts'
import { createUnlocking, type Unlocking } from '../src/accounts/unlocking.ts'
import { type Clients, createClients } from '../src/clients/service.ts'
import { createPasswordAttempts, uncountedAttempts } from '../src/throttling/password-attempts.ts'
import { createPwnedCheck } from '../src/passwords/pwned.ts'
import { createRevokingTransaction } from '../src/revocation/transaction.ts'
import { createProof, type Proof } from '../src/sessions/proof.ts'
import { createSessions, type Sessions } from '../src/sessions/service.ts'
import { createPairs } from '../src/tokens/token-pair.ts'
import { createUnansweredRefreshes } from '../src/sessions/unanswered-refreshes.ts'
import { createAccountTokens } from '../src/tokens/link-token.ts'
import { createRefreshTokens } from '../src/tokens/refresh-token.ts'
import { createFindUserOfToken } from '../src/repositories/users-by-token.ts'
import { type Administration, createAdministration } from '../src/users/administration.ts'
import { createDeparture, type Departure } from '../src/users/departure.ts'
import { createUsers, type Users } from '../src/users/service.ts'

declare module 'fastify' {
  interface FastifyInstance {
    users: Users
    sessions: Sessions
    proof: Proof
    clients: Clients
    accounts: Accounts
    unlocking: Unlocking
    administration: Administration
    departure: Departure
  }
}

/** The domain, put together from what the other plugins provide. */
export default fp(
  async function services(app) {
    const { config, passwords, accessTokens } = app
    const { db } = app.database
    const inRevokingTransaction = createRevokingTransaction(db, app.revocations)
    const refreshTokens = createRefreshTokens(app.keyring)
    const accountTokens = createAccountTokens(app.keyring)
    const issuePair = createPairs(accessTokens, refreshTokens)
    const { requireVerifiedEmail, session: limits } = config
    const rules = { requireVerifiedEmail }
    const { devices, limiter } = app
    const attempts = config.rateLimit
      ? createPasswordAttempts({ db, lifetime: limits, devices, limiter })
      : uncountedAttempts(db, devices)
    const passwordPolicy = {
      minLength: config.passwordMinLength,
      isPwned: config.pwnedPasswordsUrl === undefined ? undefined : createPwnedCheck(config.pwnedPasswordsUrl, warn)
    }
    const unanswered = createUnansweredRefreshes({ db, limits, reachableFor: app.revocations.listeningFor })
    app.addHook('onClose', unanswered.close)
    const findUserOfToken = createFindUserOfToken(db, limits)
    const onMail = app.mail.kick
    app.decorate(
      'users',
      createUsers({
        db,
        passwords,
        findUserOfToken,
        passwordPolicy,
        inRevokingTransaction,
        requireVerifiedEmail,
        onMail
      })
    )
    app.decorate(
      'sessions',
      createSessions({
        db,
        passwords,
        attempts,
        devices,
        issuePair,
        refreshTokens,
        unanswered,
        inRevokingTransaction,
        limits,
        requireVerifiedEmail,
        onMail
      })
    )
    app.decorate(
      'proof',
      createProof({
        passwords,
        attempts,
        devices,
        findUserOfToken,
        passwordPolicy,
        inRevokingTransaction,
        issuePair,
        limits,
        onMail
      })
    )
    app.decorate(
      'accounts',
      createAccounts({
        db,
        passwords,
        attempts,
        accountTokens,
        findUserOfToken,
        passwordPolicy,
        inRevokingTransaction,
        rules,
        onMail
      })
    )
    app.decorate('unlocking', createUnlocking({ db, attempts, devices, accountTokens, onMail }))
    app.decorate('clients', createClients({ db, inRevokingTransaction }))
    app.decorate('administration', createAdministration({ db, inRevokingTransaction, limits, rules, onMail }))
    app.decorate(
      'departure',
      createDeparture({ db, proof: app.proof, attempts, users: app.users, inRevokingTransaction, limits, rules })
    )

    function warn(error: unknown): void {
      app.log.warn(
        { err: error },
        'a password was taken without asking whether it has leaked: PWNED_PASSWORDS_URL failed'
      )
    }
  },
  {
    name: 'services',
    dependencies: ['config', 'database', 'passwords', 'jwt', 'devices', 'limits', 'revocations', 'mail']
  }
)
