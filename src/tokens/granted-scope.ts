import { type Authority, clientScopes, type ClientScope, listWords } from '../scopes.ts'
import { type Role, roles } from '../roles.ts'
import { OAuthError } from '../oauth-errors.ts'

/**
 * What a scope asks for (RFC 6749 §3.3), of what the client has. Without a scope it is all that means something in a
 * token; introspection asks the client itself.
 * @throws {OAuthError} `invalid_scope`
 */
export function grantedBy(scope: string | undefined, has: Authority): Authority {
  const held: ReadonlySet<string> = new Set(listWords(has))
  const asked =
    scope === undefined ? new Set([...held].filter((word) => word !== 'introspect')) : new Set(scope.split(' '))
  if ([...asked].some((word) => !held.has(word))) throw new OAuthError('invalid_scope')
  return {
    roles: new Set<Role>(roles.filter((role) => asked.has(role))),
    scopes: new Set<ClientScope>(clientScopes.filter((one) => asked.has(one)))
  }
}

/** The member `scope` of an answer, which cannot be empty: with nothing to name there is none. */
export function toScope(authority: Authority): { scope?: string } {
  const words = listWords(authority)
  return words.length === 0 ? {} : { scope: words.join(' ') }
}
