const minute = 60
const hour = 60 * minute

/** How often something may be tried. */
export interface Limit {
  /** Whose attempts are counted together. */
  per: 'address' | 'session' | 'user'
  attempts: number
  /** Seconds, from the first attempt on. */
  within: number
  /** Where it is counted: for all instances together, or by each for itself where a write a request would cost too much. */
  in: 'database' | 'memory'
}

/** Every limit by the name that routes give in `config.limit`. Failed logins by account are counted in `password-attempts.ts`, mails in `mail-budgets.ts`. */
export const limits = {
  login: { per: 'address', attempts: 20, within: minute, in: 'database' },
  registration: { per: 'address', attempts: 10, within: hour, in: 'database' },
  /** Mails that a stranger asks for, such as that with which a forgotten password is replaced. */
  forgot: { per: 'address', attempts: 10, within: hour, in: 'database' },
  /** Mails that a user asks for. */
  mail: { per: 'user', attempts: 5, within: hour, in: 'database' },
  /** Tokens out of mails. */
  link: { per: 'address', attempts: 20, within: 10 * minute, in: 'database' },
  /** The own password, to change it or to show that one may do what asks for it. */
  password: { per: 'session', attempts: 10, within: 10 * minute, in: 'database' },
  /** The profile, whose every change is kept in the audit. */
  profile: { per: 'user', attempts: 60, within: hour, in: 'database' },
  /** Another username: each attempt tells whether one is taken, and each change frees one that others may know the user by. */
  username: { per: 'user', attempts: 5, within: 24 * hour, in: 'database' },
  /** All that is kept of a user, megabytes at a time. */
  export: { per: 'user', attempts: 5, within: hour, in: 'database' },
  refresh: { per: 'session', attempts: 60, within: minute, in: 'memory' },
  /** Wrong credentials of service clients: not of a route, since the right ones, which come by the thousand, do not count. */
  client: { per: 'address', attempts: 20, within: minute, in: 'memory' }
} as const satisfies Record<string, Limit>

export type LimitName = keyof typeof limits
