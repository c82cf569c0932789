import { type Static, Type } from '@sinclair/typebox'
import { Ajv, type ValidateFunction } from 'ajv'
import { clockLeeway } from '../config/tolerances.ts'
import { type ClientScope, scopesIn } from '../scopes.ts'
import { maxInteger, sessionKey, uuidPattern } from '../ids.ts'
import { mapRoles, type Role, rolesInClaims, toClaim } from '../roles.ts'

const Text = Type.String()
const Uuid = Type.String({ pattern: uuidPattern })
/** Seconds since the epoch. */
const Time = Type.Integer({ minimum: 1, exclusiveMaximum: 1e11 })

/** What every access token says (RFC 9068 §2.2). */
const common = {
  iss: Text,
  aud: Text,
  iat: Time,
  exp: Time,
  jti: Text,
  /** The version of the user or client when the token was issued: a later one makes it void. */
  ver: Type.Integer({ minimum: -maxInteger, maximum: maxInteger }),
  type: Type.Literal('access'),
  ...mapRoles(toClaim, () => Type.Boolean())
}

const UserClaims = Type.Object({
  ...common,
  /** The user's id. */
  sub: Type.String({ pattern: '^[1-9]\\d{0,9}$' }),
  /** The session. */
  sid: Uuid,
  /** What a proxy's header can hold. */
  username: Type.String({ pattern: '^[\\x21-\\x7e]+$' }),
  // What follows, tokens of users have said since they name a client; those of the release before say nothing of it.
  /** The application for which the user logged in (RFC 9068 §2.2): the service's own login has its audience. */
  client_id: Type.Optional(Text),
  /** The roles, as OAuth has them (RFC 9068 §2.2.3). */
  scope: Type.Optional(Text),
  /** When the user last proved who they are, and how (RFC 8176). */
  auth_time: Type.Optional(Time),
  amr: Type.Optional(Type.Array(Text)),
  /** `2` where a second factor or a passkey was among it. */
  acr: Type.Optional(Type.Union([Type.Literal('1'), Type.Literal('2')]))
})

const ClientClaims = Type.Object({
  ...common,
  jti: Uuid,
  /** `client:` and the client's id. */
  sub: Text,
  client_id: Uuid,
  /** The secret with which the token was asked for: the token ends with it. */
  sid: Uuid,
  /** The roles and the client's scopes, as OAuth has them (RFC 9068 §2.2.3). */
  scope: Text
})

export type UserClaims = Static<typeof UserClaims>
export type ClientClaims = Static<typeof ClientClaims>
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

export const clientSubject = (clientId: string): string => `client:${clientId}`

/**
 * The claims of a payload whose signature, issuer and audience are verified.
 * Libraries let `exp: 1e300`, a far `iat` and an array of audiences pass; nothing of the kind is ours.
 * A token from before the lifetime was shortened ends with the present one: revocations are not remembered for longer.
 * @param lifetime seconds that access tokens live, by the present setting
 * @returns undefined unless every claim is there and of its own type; `exp` may be past
 */
export function readClaims(payload: object, now: number, lifetime: number): AccessClaims | undefined {
  validators ??= { user: new Ajv().compile(UserClaims), client: new Ajv().compile(ClientClaims) }
  const isClients = isOfClient((payload as { sub?: unknown }).sub)
  if (!validators[isClients ? 'client' : 'user'](payload)) return undefined
  const claims = payload as AccessClaims
  const { iat, exp, sub } = claims
  const isSubject = isClientClaims(claims) ? sub === clientSubject(claims.client_id) : Number(sub) <= maxInteger
  if (!isSubject || iat > now + clockLeeway || exp <= iat) return undefined
  return { ...claims, exp: Math.min(exp, iat + lifetime) }
}

/** Compiled for the first token, so that no start waits for it. */
let validators: Record<'user' | 'client', ValidateFunction> | undefined

/** Users and services are told apart by their subject alone: `client_id` is in the tokens of both. */
const isOfClient = (sub: unknown): boolean => typeof sub === 'string' && sub.startsWith('client:')

export const isClientClaims = (claims: AccessClaims): claims is ClientClaims => isOfClient(claims.sub)

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
