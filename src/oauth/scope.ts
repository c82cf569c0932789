import { type Role, roles } from '../roles/roles.ts'
import { OAuthError } from './errors.ts'

/**
 * The roles that a scope asks for (RFC 6749 §3.3), of those that the client has; without a scope all of them.
 * @throws {OAuthError} `invalid_scope`
 */
export function grantedRoles(scope: string | undefined, has: ReadonlySet<Role>): ReadonlySet<Role> {
  if (scope === undefined) return has
  const asked = new Set(scope.split(' ') as Role[])
  if ([...asked].some((role) => !has.has(role))) throw new OAuthError('invalid_scope')
  return asked
}

/** The member `scope` of an answer, which cannot be empty: without a role there is none. */
export function scopeOf(has: ReadonlySet<Role>): { scope?: string } {
  return has.size === 0 ? {} : { scope: roles.filter((role) => has.has(role)).join(' ') }
}
