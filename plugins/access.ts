import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { AuthenticatedClient } from '../src/factors/client-secret.ts'
import type { ClientScope } from '../src/scopes.ts'
import { Problem } from '../src/errors.ts'
import { OAuthError } from '../src/oauth-errors.ts'
import type { Role } from '../src/roles.ts'
import { freshFor } from '../src/factors/authentication.ts'
import type { Principal, UserPrincipal } from '../src/tokens/claims.ts'
import { readOrigin } from './http/origin.ts'

/**
 * Who may call a route: anyone; a caller with a token, be it a user or a service; a user, on routes about oneself;
 * a caller with a role; or a service by its secret, where tokens are asked for and asked about.
 */
export type Access = 'public' | 'caller' | 'user' | { role: Role } | 'service'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /**
     * Asks for recent proof of who is calling (RFC 9470): of every request, or of those whose body names one of these
     * properties.
     */
    fresh?: true | string[]
    /** Lets a service in that has this scope and not the role that the route asks for. */
    scope?: ClientScope
    /** Where roles are asked for thousands of times a second, who lacks one is in the log and not in the audit. */
    denials?: 'logged'
  }
  interface FastifyInstance {
    [areaAccess]?: Access
    /** The principal of a token; undefined unless the token is valid now. */
    identify: (request: FastifyRequest, token: string) => Promise<Principal | undefined>
  }
  interface FastifyRequest {
    /** Who is calling; null on public routes. */
    principal: Principal | null
    /** Which service is calling by its secret; null on other routes. */
    client: AuthenticatedClient | null
  }
}

const areaAccess = Symbol('areaAccess')

/** Sets who may call the routes of an area that do not say so themselves. */
export function guard(area: FastifyInstance, access: Access): void {
  area[areaAccess] = access
}

/** @returns the caller of a route that asks for one */
export function requirePrincipal(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Problem('not_authenticated')
  return request.principal
}

/** @returns the user who calls a route about oneself, where a service has no business */
export function requireUser(request: FastifyRequest): UserPrincipal {
  const principal = requirePrincipal(request)
  if (principal.kind !== 'user') throw new Problem('permission_denied')
  return principal
}

/** @returns the service that calls by its secret */
export function requireClient(request: FastifyRequest): AuthenticatedClient {
  if (request.client === null) throw new OAuthError('invalid_client')
  return request.client
}

/**
 * Authentication and roles, by what each route declares. A route that declares nothing keeps the service from starting.
 * Authentication comes before the body is read, so that a stranger learns nothing of our schemas.
 */
export default fp(
  async function access(app) {
    app.decorateRequest('principal', null)
    app.decorateRequest('client', null)
    app.addHook('onRoute', function (this: FastifyInstance, route) {
      const declared = route.config?.access ?? this[areaAccess]
      if (declared === undefined) {
        throw new Error(`The route ${String(route.method)} ${route.url} does not declare who may call it`)
      }
      route.config = { ...route.config, access: declared }
      if (declared === 'public') return
      if (declared === 'service') {
        // Once the body is read, since the credentials may be in it, and before it is validated.
        route.preValidation = [authenticateClient, ...hooks(route.preValidation)]
        return
      }
      const own = hooks(route.onRequest)
      route.onRequest = [authenticate, ...own]
      if (declared === 'caller') return
      const { fresh, refusesMethods } = route.config
      const check = declared === 'user' ? checkUser : requireRole(declared.role, route.config)
      if (refusesMethods === true) {
        // A method that is refused is refused without its body.
        route.onRequest = [authenticate, check, ...own]
        return
      }
      route.preHandler = [
        ...(mayWaitForBody(route) ? [refuseRevokedSince] : []),
        check,
        ...(fresh === undefined ? [] : [requireFresh(fresh)]),
        ...hooks(route.preHandler)
      ]
    })

    app.decorate('identify', async (request, token) => {
      try {
        return await admit(token, request)
      } catch (error) {
        if (error instanceof Problem && error.status === 401) return undefined
        throw error
      }
    })

    function authenticate(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) {
      const admitted = (principal: Principal) => {
        request.principal = principal
        done()
      }
      settle(() => admit(presentedToken(request), request), admitted, done)
    }

    async function authenticateClient(request: FastifyRequest): Promise<void> {
      request.client = await app.authenticateClient(request)
    }

    /** A body takes the time that its sender likes: what was revoked meanwhile is refused now. */
    function refuseRevokedSince(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
      const passed = () => {
        done()
      }
      settle(() => refuseRevoked(requirePrincipal(request)), passed, done)
    }

    function requireRole(role: Role, { denials, scope }: FastifyContextConfig) {
      return function checkRole(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
        const deny = () => {
          done(new Problem('permission_denied'))
        }
        const principal = requirePrincipal(request)
        if (principal.roles.has(role) || (scope !== undefined && hasScope(principal, scope))) done()
        else if (denials === 'logged') deny()
        else void recordDenial(request, role).then(deny)
      }
    }

    /** A refused caller stays refused, whether the refusal can be recorded or not. */
    async function recordDenial(request: FastifyRequest, role: Role): Promise<void> {
      const { method, routeOptions } = request
      try {
        await app.denials.record({ origin: readOrigin(request), role, method, route: routeOptions.url })
      } catch (error) {
        request.log.error({ err: error }, 'a denial could not be recorded')
      }
    }

    /** Verifies and asks for revocation; without a promise where both are answered from memory, as they mostly are. */
    function admit(token: string, request: FastifyRequest): Principal | Promise<Principal> {
      const verified = app.verifyAccessToken(request, token)
      return verified instanceof Promise ? verified.then(refuseRevoked) : refuseRevoked(verified)
    }

    function refuseRevoked(principal: Principal): Principal | Promise<Principal> {
      const revoked = app.revocations.isRevoked(principal)
      if (revoked === false) return principal
      if (revoked === true) throw new Problem('token_revoked')
      return revoked.then((really) => {
        if (really) throw new Problem('token_revoked')
        return principal
      })
    }

    /** The bearer token, else the cookie; another authorization scheme is ignored (RFC 6750 §2). */
    function presentedToken(request: FastifyRequest): string {
      const token = bearerToken(request)
      if (token !== undefined) return token
      const cookie = request.accessCookie()
      if (cookie === undefined) throw new Problem('not_authenticated')
      request.refuseUnsafeCrossOrigin()
      return cookie
    }
  },
  { name: 'access', dependencies: ['client-credentials', 'cookies', 'cross-origin', 'denials', 'jwt', 'revocations'] }
)

/** @returns undefined where there is no Bearer authorization; an empty or malformed one is returned to be refused */
export function bearerToken({ headers: { authorization } }: FastifyRequest): string | undefined {
  if (authorization === undefined || !/^bearer(?:\s|$)/i.test(authorization)) return undefined
  // One blank and no other (RFC 6750 §2.1): proxies must not see another token than we do.
  return authorization['bearer'.length] === ' ' ? authorization.slice('bearer '.length) : ''
}

/** Asks for a recent proof of who is calling (RFC 9470). Services, which show their secret for each token, are exempt. */
function requireFresh(fresh: true | string[]) {
  return function checkProof(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
    const principal = requirePrincipal(request)
    const body: unknown = request.body ?? {}
    const isAsked = fresh === true || fresh.some((name) => Object.hasOwn(body as object, name))
    const isStale = principal.kind === 'user' && Date.now() / 1000 - principal.authTime > freshFor
    done(isAsked && isStale ? new Problem('reauthentication_required') : undefined)
  }
}

/** Whether the handler comes later than the headers, by as much as the caller likes. */
const mayWaitForBody = ({ method, config }: RouteOptions) =>
  config?.ignoresBody !== true && [method].flat().some((name) => name !== 'GET' && name !== 'HEAD')
const hasScope = (principal: Principal, scope: ClientScope) =>
  principal.kind === 'client' && principal.scopes.has(scope)

function checkUser(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  requireUser(request)
  done()
}

/** The hooks that a route has declared, none, one or several, for others to be put before or behind them. */
export function hooks<T>(declared: T | T[] | undefined): T[] {
  if (declared === undefined) return []
  return Array.isArray(declared) ? declared : [declared]
}

/** Goes on without a promise where there is none to wait for. */
function settle<T>(ask: () => T | Promise<T>, then: (answer: T) => void, fail: (error: Error) => void): void {
  try {
    const answer = ask()
    if (answer instanceof Promise) answer.then(then, fail)
    else then(answer)
  } catch (error) {
    fail(error as Error)
  }
}
