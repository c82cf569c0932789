import { base64url, errors, jwtVerify } from 'jose'
import { AccessProblem } from './access-problem.ts'
import { type Caller, readCaller, type Role } from './caller.ts'
import { createKeySet } from './key-set.ts'

export { AccessProblem, type AccessProblemCode } from './access-problem.ts'
export type { AccessClaims, Caller, ClientClaims, Role, UserClaims } from './caller.ts'

export interface VerifierOptions {
  /** `ISSUER` of Gatehouse's settings: compared whole with each token's `iss`. */
  issuer: string
  /** `AUDIENCE` of Gatehouse's settings: tokens for anybody else are refused (RFC 8725 §3.9). */
  audience: string
  /**
   * Where the public keys are, if not at `/.well-known/jwks.json` below the issuer. Over a network that others can
   * change, https: a server that answers in its place can make tokens.
   */
  jwksUrl?: string | URL
  /** Seconds after which a key that Gatehouse has withdrawn is no longer trusted, as long as Gatehouse answers: 300. */
  keysMaxAge?: number
  /** Seconds by which the clocks may differ when a token expires: 5. */
  clockTolerance?: number
  fetch?: typeof fetch
  /** Milliseconds since the epoch: `Date.now`. */
  now?: () => number
}

/** Each method throws an AccessProblem that is the answer to the caller: 401, 403, or 503 while there are no keys. */
export interface Verifier {
  /** Who is calling, by an access token. */
  verify: (token: string) => Promise<Caller>
  /** Who is calling, by the value of an `Authorization` header, whatever their roles. */
  authenticate: (authorization: string | undefined) => Promise<Caller>
  /** The same, for callers with the role alone. */
  authorize: (authorization: string | undefined, role: Role) => Promise<Caller>
}

/** Characters: several times what Gatehouse issues. No mathematics is done on more. */
const maxLength = 8192

/** Seconds by which the clock of the instance that issued a token may be ahead: as many as Gatehouse itself tolerates. */
const maxAhead = 60

/**
 * Verifies access tokens (RFC 9068 §4) by Gatehouse's public keys, without asking Gatehouse, also while it is down.
 * It cannot see a revocation: a token is good here until it expires. Make one for a process, and keep it.
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience, clockTolerance = 5, keysMaxAge = 300, now = Date.now } = options
  if (issuer === '' || audience === '') throw new TypeError('A verifier needs an issuer and an audience')
  const url = new URL(options.jwksUrl ?? `${issuer.replace(/\/+$/, '')}/.well-known/jwks.json`)
  const keys = createKeySet({ url, maxAge: keysMaxAge, fetch: options.fetch ?? globalThis.fetch, now })

  async function verify(token: string): Promise<Caller> {
    try {
      // Within, because the decoder throws at what is no base64url.
      if (!isCanonical(token)) throw new AccessProblem('token_invalid')
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        // No other JWT of the same issuer passes for an access token (RFC 8725 §3.11).
        typ: 'at+jwt',
        // RFC 8725 §3.1: the key decides; no token turns a public key into the secret of an HMAC.
        algorithms: ['ES256', 'RS256', 'EdDSA'],
        requiredClaims: ['iss', 'aud', 'sub', 'iat', 'exp', 'jti'],
        clockTolerance,
        currentDate: new Date(now())
      })
      const caller = isPlausible(payload, audience, now() / 1000) ? readCaller(payload) : undefined
      if (caller === undefined) throw new AccessProblem('token_invalid')
      return caller
    } catch (error) {
      if (error instanceof AccessProblem) throw error
      // Not the error itself, which holds the claims.
      const cause = error instanceof Error ? error.message : undefined
      throw new AccessProblem(error instanceof errors.JWTExpired ? 'token_expired' : 'token_invalid', { cause })
    }
  }

  async function authenticate(authorization: string | undefined): Promise<Caller> {
    const token = bearerToken(authorization)
    if (token === undefined) throw new AccessProblem('not_authenticated')
    return verify(token)
  }

  async function authorize(authorization: string | undefined, role: Role): Promise<Caller> {
    const caller = await authenticate(authorization)
    if (!caller.roles.includes(role)) throw new AccessProblem('permission_denied')
    return caller
  }

  return { verify, authenticate, authorize }
}

/** The token of a Bearer authorization, with one blank before it (RFC 6750 §2.1); undefined for any other scheme. */
function bearerToken(authorization = ''): string | undefined {
  if (!/^bearer(?:\s|$)/i.test(authorization)) return undefined
  return authorization.startsWith(' ', 'bearer'.length) ? authorization.slice('bearer '.length) : ''
}

/** Three parts in base64url, which has one spelling for each signature (RFC 4648 §3.5): decoders are more lenient. */
function isCanonical(token: string): boolean {
  if (typeof token !== 'string' || token.length > maxLength) return false
  const [, signature] = /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(token) ?? []
  return signature !== undefined && base64url.encode(base64url.decode(signature)) === signature
}

/** Libraries let several audiences, `exp: 1e300` and a far `iat` pass; Gatehouse issues nothing of the kind. */
function isPlausible({ aud, iat, exp, jti }: Record<string, unknown>, audience: string, now: number): boolean {
  return aud === audience && isTime(iat) && isTime(exp) && iat < exp && iat <= now + maxAhead && typeof jti === 'string'
}

const isTime = (value: unknown): value is number => Number.isInteger(value) && Number(value) > 0 && Number(value) < 1e11
