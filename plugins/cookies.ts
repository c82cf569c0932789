import fastifyCookie, { type CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { TokenPair } from '../src/sessions/token-pair.ts'

declare module 'fastify' {
  interface FastifyRequest {
    accessCookie: () => string | undefined
    refreshCookie: () => string | undefined
  }
  interface FastifyReply {
    setSessionCookies: (tokens: TokenPair) => this
    clearSessionCookies: () => this
  }
}

/** The names of the cookies, with or without the prefixes that browsers hold their attributes to (RFC 6265bis §4.1.3). */
export const cookieNames = (prefix: boolean) =>
  prefix
    ? { access: '__Host-access_token', refresh: '__Secure-refresh_token' }
    : { access: 'access_token', refresh: 'refresh_token' }

/**
 * The cookies of a browser's session. Browsers keep a deleted cookie unless its attributes are repeated.
 * COOKIE_DOMAIN shares the access token's alone: the refresh token is for this host and nobody else.
 */
export default fp(
  async function cookies(app) {
    const { secure, prefix, domain } = app.config.cookies
    const names = cookieNames(prefix)
    const access: CookieSerializeOptions = { ...common, secure, sameSite: 'lax', path: '/', ...(domain && { domain }) }
    const refresh: CookieSerializeOptions = { ...common, secure, sameSite: 'strict', path: '/auth' }
    await app.register(fastifyCookie)
    app.decorateRequest('accessCookie', function (this: FastifyRequest) {
      return find(this, 'access')
    })
    app.decorateRequest('refreshCookie', function (this: FastifyRequest) {
      return find(this, 'refresh')
    })
    app.decorateReply('setSessionCookies', function (this: FastifyReply, tokens) {
      this.setCookie(names.access, tokens.access.token, { ...access, maxAge: tokens.access.expiresIn })
      this.setCookie(names.refresh, tokens.refreshToken, { ...refresh, maxAge: tokens.refreshExpiresIn })
      return clearOutdated(this)
    })
    app.decorateReply('clearSessionCookies', function (this: FastifyReply) {
      this.setCookie(names.access, '', { ...access, ...gone })
      this.setCookie(names.refresh, '', { ...refresh, ...gone })
      return clearOutdated(this)
    })

    /**
     * Who logged in before COOKIE_PREFIX was turned off stays logged in: nobody else can set a cookie with a prefix.
     * The other way round there is no such trust, since any host of the domain could have set a plain one.
     */
    function find({ cookies }: FastifyRequest, kind: 'access' | 'refresh'): string | undefined {
      return present(cookies[names[kind]]) ?? (prefix ? undefined : present(cookies[cookieNames(true)[kind]]))
    }

    /** What the browser still has from before a setting or the version changed, and would go on sending. */
    function clearOutdated(reply: FastifyReply): FastifyReply {
      const others = cookieNames(!prefix)
      const { cookies } = reply.request
      // A prefix asks for Secure.
      const was = { ...common, ...gone, secure: true }
      if (cookies[others.access] !== undefined)
        reply.setCookie(others.access, '', { ...was, sameSite: 'lax', path: '/' })
      if (cookies[others.refresh] !== undefined) reply.setCookie(others.refresh, '', { ...refresh, ...was })
      // Earlier versions shared the refresh token's, too, and browsers send the older of two first.
      if (domain !== undefined) reply.setCookie(names.refresh, '', { ...refresh, ...gone, domain })
      return reply
    }
  },
  { name: 'cookies', dependencies: ['config'] }
)

const common = { httpOnly: true }
const gone = { maxAge: 0, expires: new Date(0) }
const present = (value: string | undefined) => (value === '' ? undefined : value)
