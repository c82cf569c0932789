import fastifyJwt from '@fastify/jwt'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import { recordKeys } from '../src/repositories/key-events.ts'
import { Problem } from '../src/errors.ts'
import { type Principal, toPrincipal, readClaims } from '../src/tokens/claims.ts'
import { createTokens, type Tokens } from '../src/tokens/tokens.ts'
import { listSchedules } from '../src/keys/key-states.ts'
import { type Keyring, type KeyringSnapshot, openKeyring } from '../src/keys/keyring.ts'

declare module 'fastify' {
  interface FastifyInstance {
    keyring: Keyring
    tokens: Tokens
    /**
     * Whose token it is, by its signature and claims alone.
     * @throws {Problem} `token_expired` or `token_invalid`, whatever is wrong with the token
     */
    verifyAccessToken: (request: FastifyRequest, token: string) => Principal | Promise<Principal>
    /** The holder of a token that this service issued, even if it has expired since; undefined for any other. */
    readAuthenticToken: (request: FastifyRequest, token: string) => Promise<Principal | undefined>
  }
  interface FastifyRequest {
    /** The token that `jwtVerify` is to look at. */
    presentedToken: string
  }
}

/** Principals of tokens whose signature was verified lately. */
const maxCached = 10_000

/**
 * Issues and verifies access tokens. @fastify/jwt verifies, with the one algorithm of the key that the token's `kid`
 * names; what was verified is remembered by the whole token, because a signature costs ten times the rest of a request.
 */
export default fp(
  async function jwt(app) {
    const { config } = app
    const cache = new LRUCache<string, Principal>({ max: maxCached })
    const keyring = openKeyring({
      source: config.keys,
      schedules: listSchedules(config),
      onChange(snapshot) {
        const { signing, verifying } = snapshot
        cache.clear()
        app.log.info({ signing: signing.kid, verifying: [...verifying.keys()] }, 'keys changed')
        void record(snapshot)
      },
      onFault(error) {
        app.log.error({ err: error }, 'the keys cannot be read: those from before stay in use')
      }
    })
    app.addHook('onReady', () => record(keyring.current()))
    app.addHook('onClose', async () => {
      keyring.close()
    })
    await app.register(fastifyJwt, {
      // Tokens are signed by `tokens`, whose key may change; jwtVerify() asks for each token's key.
      secret: { public: publicKeyOf },
      decode: { complete: true },
      verify: {
        extractToken: (request) => request.presentedToken,
        algorithms: ['ES256', 'RS256', 'EdDSA'],
        checkTyp: 'at+jwt',
        allowedIss: config.issuer,
        allowedAud: config.audience,
        requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat', 'jti']
      }
    })
    app.decorateRequest('presentedToken', '')
    app.decorate('keyring', keyring)
    app.decorate('tokens', createTokens(keyring, config))
    app.decorate('verifyAccessToken', (request, token) => {
      const principal = cache.get(token)
      if (principal === undefined) return verifySignature(request, token)
      if (hasExpired(principal)) {
        cache.delete(token)
        throw new Problem('token_expired')
      }
      return principal
    })

    /** In the audit, too. Tokens do not wait for it: what could not be written is written with the next change or start. */
    async function record({ signing, verifying, refreshSigning, refreshVerifying }: KeyringSnapshot): Promise<void> {
      try {
        await recordKeys(app.database.db, {
          signing: [signing.kid, refreshSigning.kid],
          trusted: [...verifying.keys(), ...refreshVerifying.keys()]
        })
      } catch (error) {
        app.log.warn({ err: error }, 'the change of keys could not be recorded')
      }
    }

    app.decorate('readAuthenticToken', async (request, token) => {
      try {
        return await readToken(request, token, { ignoreExpiration: true })
      } catch (error) {
        if (error instanceof Problem && error.status === 401) return undefined
        throw error
      }
    })

    async function readToken(request: FastifyRequest, token: string, options?: VerifyOptions): Promise<Principal> {
      if (!isCanonical(token)) throw new Problem('token_invalid')
      request.presentedToken = token
      const payload = await request.jwtVerify<object>(options).catch((error: unknown) => {
        throw new Problem(isExpiry(error) ? 'token_expired' : 'token_invalid')
      })
      const claims = readClaims(payload, Math.floor(Date.now() / 1000), config.accessTokenLifetime)
      if (claims === undefined) throw new Problem('token_invalid')
      return toPrincipal(claims)
    }

    async function verifySignature(request: FastifyRequest, token: string): Promise<Principal> {
      const principal = await readToken(request, token)
      if (hasExpired(principal)) throw new Problem('token_expired')
      cache.set(token, principal)
      return principal
    }

    /** RFC 8725 §3.1: the key decides the algorithm; a header that says another is refused before any mathematics. */
    async function publicKeyOf(_request: FastifyRequest, token: unknown): Promise<string> {
      const { header } = token as { header: { kid?: unknown; alg?: unknown } }
      const key = await keyring.find(header.kid)
      if (key === undefined || header.alg !== key.algorithm) throw new Problem('token_invalid')
      return key.publicPem
    }
  },
  { name: 'jwt', dependencies: ['config', 'bootstrap', 'database'] }
)

const hasExpired = ({ claims }: Principal) => claims.exp * 1000 <= Date.now()

type VerifyOptions = Parameters<FastifyRequest['jwtVerify']>[0]

const isExpiry = (error: unknown) => (error as { code?: unknown }).code === 'FST_JWT_AUTHORIZATION_TOKEN_EXPIRED'

/** A token has one spelling (RFC 4648 §3.5): the last character of a signature holds bits that mean nothing. */
function isCanonical(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1)
  return Buffer.from(signature, 'base64url').toString('base64url') === signature
}
