import { Problem } from './errors.ts'
import { type Role, roles } from './roles.ts'

/**
 * What a client may do without a role: each names routes of `/admin`, and `introspect` the endpoint of that name. Roles
 * are apart from these: a client that is an administrator needs none for `/admin`.
 */
export const clientScopes = [
  'users:read',
  'users:write',
  'clients',
  'audit:read',
  'sessions:revoke',
  'introspect'
] as const

export type ClientScope = (typeof clientScopes)[number]

/** What a client has unless scopes are named: every client could ask about tokens before there were scopes. */
export const defaultScopes: readonly ClientScope[] = ['introspect']

/** What a client holds, or a token of it. */
export interface Authority {
  roles: ReadonlySet<Role>
  scopes: ReadonlySet<ClientScope>
}

/** The scopes among words from elsewhere: a newer version may have stored some that this one does not know. */
export function scopesIn(words: readonly string[]): Set<ClientScope> {
  return new Set(clientScopes.filter((scope) => words.includes(scope)))
}

/** Roles first, then scopes, each in its own order, as a token's `scope` has them. */
export const listWords = (authority: Authority): (Role | ClientScope)[] => [
  ...roles.filter((role) => authority.roles.has(role)),
  ...clientScopes.filter((scope) => authority.scopes.has(scope))
]

/**
 * Refuses a caller with scopes alone what they cannot bring: roles are for administrators to give, and what a client is
 * given by another must not be more than that one has.
 * @param caller the scopes of the caller's token; undefined for an administrator, who may do all
 * @throws {Problem} `permission_denied`
 */
export function refuseMoreThan(caller: ReadonlySet<ClientScope> | undefined, asked: Authority): void {
  if (caller === undefined) return
  if (asked.roles.size > 0 || [...asked.scopes].some((scope) => !caller.has(scope)))
    throw new Problem('permission_denied')
}
