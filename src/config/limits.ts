const minute = 60
const hour = 60 * minute

/** How often something may be tried. */
export interface Limit {
  /** Whose attempts are counted together. */
  per: 'address' | 'client and address' | 'device' | 'session' | 'user'
  /** What is counted, as the refused caller is told. */
  of: string
  attempts: number
  /** Seconds, from the first attempt on. */
  within: number
  /** Where it is counted: for all instances together, or by each for itself where a write a request would cost too much. */
  in: 'database' | 'memory'
}

/**
 * Every limit by the name that routes give in `config.limit`, as it is without a setting: `settings.ts` has one for each.
 * Failed logins by account are counted in `password-attempts.ts`, mails in `mail-budgets.ts`. What users are told of
 * limits is in docs/limits.md.
 */
export const limits = {
  /** A device of another user counts by its address as well, see `password-attempts.ts`. */
  login: { per: 'device', of: 'logins', attempts: 20, within: minute, in: 'database' },
  registration: { per: 'address', of: 'registrations', attempts: 10, within: hour, in: 'database' },
  /** Mails that a stranger asks for, such as that with which a forgotten password is replaced. */
  forgot: { per: 'address', of: 'requests for a link', attempts: 10, within: hour, in: 'database' },
  /** Mails that a user asks for. */
  mail: { per: 'user', of: 'requests for a link', attempts: 5, within: hour, in: 'database' },
  /** Tokens out of mails. */
  link: { per: 'address', of: 'uses of mailed links', attempts: 20, within: 10 * minute, in: 'database' },
  /** The user's password, to change it or to authenticate again. */
  password: { per: 'session', of: 'passwords', attempts: 10, within: 10 * minute, in: 'database' },
  /** The profile, whose every change is kept in the audit. */
  profile: { per: 'user', of: 'changes of the profile', attempts: 60, within: hour, in: 'database' },
  /** Another username: each attempt tells whether one is taken, and each change frees one that others may know the user by. */
  username: { per: 'user', of: 'changes of the username', attempts: 5, within: 24 * hour, in: 'database' },
  /** All that is kept of a user, megabytes at a time. */
  export: { per: 'user', of: 'exports', attempts: 5, within: hour, in: 'database' },
  /** Each token for itself, and each token once for its session: what is spent does not count against what is good. */
  refresh: { per: 'session', of: 'refreshes', attempts: 60, within: minute, in: 'memory' },
  /** Wrong credentials of a service client: not of a route, since the right ones, which come by the thousand, do not count. */
  client: { per: 'client and address', of: 'wrong client secrets', attempts: 20, within: minute, in: 'memory' }
} as const satisfies Record<string, Limit>

export type LimitName = keyof typeof limits

/** For a service that only its developer's machine reaches, and whose tests register many users from one address. */
export const developmentRates: Partial<Record<LimitName, string>> = {
  registration: '200/1h',
  forgot: '200/1h',
  mail: '100/1h'
}

export type Limits = Record<LimitName, Limit>

const wholes = {
  address: 'from this address',
  'client and address': 'of this client from this address',
  device: 'from this device',
  session: 'in this session',
  user: 'by this user'
}

/** What is said to a caller who has to wait. @param wait in seconds */
export function describeLimit({ of, per }: Limit, wait: number): string {
  const [unit, seconds] = wait >= 2 * minute ? ['minutes', minute] : ['seconds', 1]
  return `Too many attempts: ${of} ${wholes[per]}. Try again in ${String(Math.ceil(wait / seconds))} ${unit}`
}

const units = { s: 1, m: minute, h: hour, d: 24 * hour }

/** A limit as its setting has it, such as `20/1m` for twenty a minute. */
export const ratePattern = '^[1-9]\\d{0,5}/[1-9]\\d{0,3}[smhd]$'

export function formatRate({ attempts, within }: Limit): string {
  const [unit, seconds] = Object.entries(units).findLast(([, seconds]) => within % seconds === 0) ?? ['s', 1]
  return `${String(attempts)}/${String(within / seconds)}${unit}`
}

/** @param rate of `ratePattern` */
export function readRate(rate: string): Pick<Limit, 'attempts' | 'within'> {
  const [, attempts, count, unit] = /^(\d+)\/(\d+)([smhd])$/.exec(rate) ?? []
  return { attempts: Number(attempts), within: Number(count) * units[(unit ?? 's') as keyof typeof units] }
}
