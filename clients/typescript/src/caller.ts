import type { JWTPayload } from 'jose'
import type { operations } from './generated/openapi.ts'

export type Role = NonNullable<NonNullable<operations['listUsers']['parameters']['query']>['role']>

/** What every access token says (RFC 9068 §2.2). Times are in seconds since the epoch. */
export type AccessClaims = {
  iss: string
  aud: string
  sub: string
  iat: number
  exp: number
  jti: string
  type: 'access'
} & Record<`is_${Role}`, boolean>

export type UserClaims = AccessClaims & {
  username: string
  /** The session. */
  sid: string
  /** When and how the user last proved who they are (RFC 8176), and `2` where a second factor was among it. */
  auth_time?: number
  amr?: string[]
  acr?: string
}

export type ClientClaims = AccessClaims & { client_id: string; scope: string }

interface CommonCaller {
  /** `sub`: a user's id, or `client:` and the id of a service. It never belongs to anybody else. */
  id: string
  /** A username, or the id of a service: for people to read, since usernames change. */
  name: string
  roles: readonly Role[]
}

/** Who is calling: a user, or a service in its own name. */
export type Caller =
  (CommonCaller & { kind: 'user'; claims: UserClaims }) | (CommonCaller & { kind: 'client'; claims: ClientClaims })

/**
 * The caller of a payload whose signature, issuer and audience are verified.
 * @returns undefined unless the claims are those of a user or of a service, each of its own type
 */
export function readCaller(payload: JWTPayload): Caller | undefined {
  const { sub: id = '', username, client_id: clientId } = payload
  const flags = Object.entries(payload).filter(([name]) => name.startsWith('is_'))
  if (payload.type !== 'access' || !flags.every(([, value]) => typeof value === 'boolean')) return undefined
  const roles = flags.filter(([, held]) => held).map(([name]) => name.slice('is_'.length) as Role)
  // By the subject alone: tokens of users name a client, too.
  if (id.startsWith('client:')) {
    if (typeof clientId !== 'string' || id !== `client:${clientId}`) return undefined
    return { kind: 'client', id, name: clientId, roles, claims: payload as ClientClaims }
  }
  if (!/^[1-9]\d{0,9}$/.test(id) || typeof username !== 'string' || typeof payload.sid !== 'string') return undefined
  return { kind: 'user', id, name: username, roles, claims: payload as UserClaims }
}
