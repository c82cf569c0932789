import fastifyCookie, { type CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyRequest } from 'fastify'
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

/** The cookies of a browser's session. Browsers keep a deleted cookie unless its attributes are repeated. */
export default fp(
  async function cookies(app) {
    const { secure, prefix, domain } = app.config.cookies
    const names = cookieNames(prefix)
    const common = { httpOnly: true, secure, ...(domain !== undefined && { domain }) }
    const access: CookieSerializeOptions = { ...common, sameSite: 'lax', path: '/' }
    const refresh: CookieSerializeOptions = { ...common, sameSite: 'strict', path: '/auth' }
    const gone = { maxAge: 0, expires: new Date(0) }
    await app.register(fastifyCookie)
    app.decorateRequest('accessCookie', function (this: FastifyRequest) {
      return present(this.cookies[names.access])
    })
    app.decorateRequest('refreshCookie', function (this: FastifyRequest) {
      return present(this.cookies[names.refresh])
    })
    app.decorateReply('setSessionCookies', function (tokens) {
      return this.setCookie(names.access, tokens.access.token, {
        ...access,
        maxAge: tokens.access.expiresIn
      }).setCookie(names.refresh, tokens.refreshToken, { ...refresh, maxAge: tokens.refreshExpiresIn })
    })
    app.decorateReply('clearSessionCookies', function () {
      return this.setCookie(names.access, '', { ...access, ...gone }).setCookie(names.refresh, '', {
        ...refresh,
        ...gone
      })
    })
  },
  { name: 'cookies', dependencies: ['config'] }
)

const present = (value: string | undefined) => (value === '' ? undefined : value)
