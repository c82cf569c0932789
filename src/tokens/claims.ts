import { sessionKey } from '../revocation/list.ts'
import { type Role, type RoleFlags, rolesOf } from '../roles/roles.ts'

/** What an access token says (RFC 9068 §2.2). Times are seconds since the epoch. */
export interface AccessClaims extends RoleFlags {
  iss: string
  aud: string
  /** The user's id. */
  sub: string
  iat: number
  exp: number
  jti: string
  /** The session. */
  sid: string
  /** The user's version when the token was issued: a later one makes it void. */
  ver: number
  type: 'access'
  username: string
}

/** Who is calling, as the token says. */
export interface Principal {
  userId: number
  sessionId: string
  /** The session in the list of revocations. */
  sessionKey: number
  version: number
  username: string
  roles: ReadonlySet<Role>
  /** The roles as proxies take them: `reader,author`. */
  groups: string
  claims: AccessClaims
}

/** Seconds that the clocks of two instances may differ. */
export const clockLeeway = 5

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const positiveInteger = /^[1-9]\d{0,9}$/

/** PostgreSQL's `integer`: a larger number would fail the look-up, and of all who share the statement. */
const mostInteger = 2 ** 31 - 1

/** What a proxy's header can hold. */
const printable = /^[\x21-\x7e]+$/

/**
 * The claims of a payload whose signature, issuer and audience are verified.
 * Libraries let `exp: 1e300`, a far `iat` and an array of audiences pass; nothing of the kind is ours.
 * @returns undefined unless every claim is there and of its own type
 */
export function readClaims(payload: unknown, now: number): AccessClaims | undefined {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined
  const claims = payload as Record<keyof AccessClaims, unknown>
  const valid =
    typeof claims.iss === 'string' &&
    typeof claims.aud === 'string' &&
    typeof claims.sub === 'string' &&
    positiveInteger.test(claims.sub) &&
    Number(claims.sub) <= mostInteger &&
    isTime(claims.iat) &&
    isTime(claims.exp) &&
    claims.iat <= now + clockLeeway &&
    claims.exp > claims.iat &&
    typeof claims.jti === 'string' &&
    typeof claims.sid === 'string' &&
    uuid.test(claims.sid) &&
    Number.isInteger(claims.ver) &&
    Math.abs(claims.ver as number) <= mostInteger &&
    claims.type === 'access' &&
    typeof claims.username === 'string' &&
    printable.test(claims.username) &&
    typeof claims.is_reader === 'boolean' &&
    typeof claims.is_author === 'boolean' &&
    typeof claims.is_admin === 'boolean'
  return valid ? (payload as AccessClaims) : undefined
}

const isTime = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < 1e11

export function principalOf(claims: AccessClaims): Principal {
  const roles = rolesOf(claims)
  return {
    userId: Number(claims.sub),
    sessionId: claims.sid,
    sessionKey: sessionKey(claims.sid),
    version: claims.ver,
    username: claims.username,
    roles: new Set(roles),
    groups: roles.join(','),
    claims
  }
}
