import { clockLeeway } from '../config/tolerances.ts'
import { type ClientScope, scopesIn } from '../scopes.ts'
import { isUuid, maxInteger, sessionKey } from '../ids.ts'
import { toClaim, type Role, type RoleClaims, roles, rolesInClaims } from '../roles.ts'

/** What every access token says (RFC 9068 §2.2). Times are seconds since the epoch. */
interface CommonClaims extends RoleClaims {
  iss: string
  aud: string
  iat: number
  exp: number
  jti: string
  /** The version of the user or client when the token was issued: a later one makes it void. */
  ver: number
  type: 'access'
}

/** What tokens of users have said since they name a client; those of the release before say nothing of it. */
interface AuthenticationClaims {
  /** The application for which the user logged in (RFC 9068 §2.2): the service's own login has its audience. */
  client_id: string
  /** The roles, as OAuth has them (RFC 9068 §2.2.3). */
  scope: string
  /** When the user last proved who they are, and how (RFC 8176). */
  auth_time: number
  amr: string[]
  /** `2` where a second factor or a passkey was among it. */
  acr: '1' | '2'
}

export interface UserClaims extends CommonClaims, Partial<AuthenticationClaims> {
  /** The user's id. */
  sub: string
  /** The session. */
  sid: string
  username: string
}

export interface ClientClaims extends CommonClaims {
  /** `client:` and the client's id. */
  sub: string
  client_id: string
  /** The secret with which the token was asked for: the token ends with it. */
  sid: string
  /** The roles and the client's scopes, as OAuth has them (RFC 9068 §2.2.3). */
  scope: string
}

export type AccessClaims = UserClaims | ClientClaims

/** What the principals of users and of services have in common. */
interface Caller {
  /** The session, or the secret of a service. */
  sessionId: string
  /** The same in the list of revocations. */
  sessionKey: number
  version: number
  /** What proxies are told of as the name. */
  username: string
  roles: ReadonlySet<Role>
  /** The roles as proxies take them: `reader,author`. */
  groups: string
}

export interface UserPrincipal extends Caller {
  kind: 'user'
  userId: number
  /** When the user last proved who they are, in seconds since the epoch; 0 where the token does not say. */
  authTime: number
  claims: UserClaims
}

export interface ClientPrincipal extends Caller {
  kind: 'client'
  clientId: string
  scopes: ReadonlySet<ClientScope>
  /** The token itself in the list of revocations (RFC 7009). */
  tokenKey: number
  claims: ClientClaims
}

/** Who is calling, as the token says: a user, or a service in its own name. */
export type Principal = UserPrincipal | ClientPrincipal

/** What can be made void: a user's token, a service's, or the authentication of a service by its secret. */
export type Revocable =
  | Pick<UserPrincipal, 'kind' | 'userId' | 'sessionId' | 'sessionKey' | 'version'>
  | (Pick<ClientPrincipal, 'kind' | 'clientId' | 'sessionId' | 'sessionKey' | 'version'> &
      Partial<Pick<ClientPrincipal, 'tokenKey' | 'claims'>>)

const positiveInteger = /^[1-9]\d{0,9}$/

/** What a proxy's header can hold. */
const printable = /^[\x21-\x7e]+$/

export const clientSubject = (clientId: string): string => `client:${clientId}`

/**
 * The claims of a payload whose signature, issuer and audience are verified.
 * Libraries let `exp: 1e300`, a far `iat` and an array of audiences pass; nothing of the kind is ours.
 * A token from before the lifetime was shortened ends with the present one: revocations are not remembered for longer.
 * @param lifetime seconds that access tokens live, by the present setting
 * @returns undefined unless every claim is there and of its own type; `exp` may be past
 */
export function readClaims(payload: unknown, now: number, lifetime: number): AccessClaims | undefined {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined
  const claims = payload as Unread
  const valid = hasCommonClaims(claims, now) && (isOfClient(claims.sub) ? isClients(claims) : isUsers(claims))
  if (!valid) return undefined
  const { iat, exp } = payload as AccessClaims
  return { ...(payload as AccessClaims), exp: Math.min(exp, iat + lifetime) }
}

type Unread = Record<keyof UserClaims | keyof ClientClaims, unknown>

/** Users and services are told apart by their subject alone: `client_id` is in the tokens of both. */
const isOfClient = (sub: unknown): sub is `client:${string}` => typeof sub === 'string' && sub.startsWith('client:')

export const isClientClaims = (claims: AccessClaims): claims is ClientClaims => isOfClient(claims.sub)

function hasCommonClaims(claims: Unread, now: number): boolean {
  return (
    typeof claims.iss === 'string' &&
    typeof claims.aud === 'string' &&
    isTime(claims.iat) &&
    isTime(claims.exp) &&
    claims.iat <= now + clockLeeway &&
    claims.exp > claims.iat &&
    typeof claims.jti === 'string' &&
    isUuid(claims.sid) &&
    Number.isInteger(claims.ver) &&
    Math.abs(claims.ver as number) <= maxInteger &&
    claims.type === 'access' &&
    roles.every((role) => typeof claims[toClaim(role)] === 'boolean')
  )
}

const isUsers = ({ sub, username, ...claims }: Unread): boolean =>
  typeof sub === 'string' &&
  positiveInteger.test(sub) &&
  Number(sub) <= maxInteger &&
  typeof username === 'string' &&
  printable.test(username) &&
  isAbsentOr(claims.client_id, isText) &&
  isAbsentOr(claims.scope, isText) &&
  isAbsentOr(claims.auth_time, isTime) &&
  isAbsentOr(claims.amr, (amr) => Array.isArray(amr) && amr.every(isText)) &&
  isAbsentOr(claims.acr, (acr) => acr === '1' || acr === '2')

const isText = (value: unknown) => typeof value === 'string'

const isAbsentOr = (value: unknown, isValid: (value: unknown) => boolean) => value === undefined || isValid(value)

const isClients = ({ sub, client_id: clientId, jti, scope }: Unread): boolean =>
  isUuid(clientId) && sub === clientSubject(clientId) && isUuid(jti) && typeof scope === 'string'

const isTime = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < 1e11

export function toPrincipal(claims: AccessClaims): Principal {
  const roles = rolesInClaims(claims)
  const caller = {
    sessionId: claims.sid,
    sessionKey: sessionKey(claims.sid),
    version: claims.ver,
    roles: new Set(roles),
    groups: roles.join(',')
  }
  if (isClientClaims(claims)) {
    const clientId = claims.client_id
    const own = { clientId, scopes: scopesIn(claims.scope.split(' ')), tokenKey: sessionKey(claims.jti) }
    return { kind: 'client', ...caller, ...own, username: clientId, claims }
  }
  const { sub, username, auth_time: authTime = 0 } = claims
  return { kind: 'user', ...caller, userId: Number(sub), username, authTime, claims }
}
