import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

export type Role = 'reader' | 'author' | 'admin'

export interface Caller {
  /** A user's id, or `client:…` of a service. */
  id: string
  name: string
}

export interface AccessOptions {
  /** Where Gatehouse is. */
  url: string
  /** `ISSUER` and `AUDIENCE` of Gatehouse's settings. */
  issuer: string
  audience: string
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
  }
}

// Seconds. Longer than that nobody trusts a key that Gatehouse has taken back.
const keysMaxAge = 300

/** @returns `allow(role)`, a hook that lets callers of the role pass, by their token alone: Gatehouse is not asked. */
export function createAccess({ url, issuer, audience }: AccessOptions): (role: Role) => onRequestAsyncHookHandler {
  // They never age here, so that tokens are verified while Gatehouse is down; they are renewed below. A token with an
  // unknown `kid` has them fetched at once, but twice within the cooldown for nobody, or strangers could make us hammer.
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', url), {
    cacheMaxAge: Infinity,
    cooldownDuration: 30_000,
    timeoutDuration: 3_000
  })
  setInterval(() => void keys.reload().catch(() => undefined), keysMaxAge * 1000).unref()

  async function verify(token: string) {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      // RFC 9068: no other JWT of the same issuer passes for an access token, and the token does not choose what verifies it.
      typ: 'at+jwt',
      algorithms: ['ES256', 'RS256', 'EdDSA'],
      requiredClaims: ['sub', 'iat', 'exp', 'jti'],
      clockTolerance: 5
    })
    return payload
  }

  return (role) => async (request, reply) => {
    const [, token] = /^bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? []
    try {
      if (token === undefined) throw new Refusal(401, 'Bearer')
      const claims = await verify(token)
      if (claims[`is_${role}`] !== true) throw new Refusal(403, 'Bearer error="insufficient_scope"')
      request.caller = { id: claims.sub ?? '', name: String(claims.username ?? claims.client_id) }
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal.challenge !== undefined) reply.header('www-authenticate', refusal.challenge)
      throw refusal
    }
  }
}

export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error('This route has no allow(…)')
  return request.caller
}

const messages = {
  401: 'Who are you?',
  403: 'You may not',
  404: 'There is no such thing',
  503: 'Tokens cannot be verified now'
}

export class Refusal extends Error {
  readonly statusCode: keyof typeof messages
  readonly challenge: string | undefined

  constructor(statusCode: keyof typeof messages, challenge?: string) {
    super(messages[statusCode])
    this.statusCode = statusCode
    this.challenge = challenge
  }
}

/** The token's fault is 401; that there are no keys to verify it with is ours. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const noKeys = ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']
  if (!(error instanceof errors.JOSEError) || noKeys.includes(error.code)) return new Refusal(503)
  return new Refusal(401, 'Bearer error="invalid_token"')
}
