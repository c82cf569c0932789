import fastifyCookie, { type CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { TokenPair } from '../src/tokens/token-pair.ts'
import { type Device, deviceLifetime } from '../src/tokens/device-token.ts'

declare module 'fastify' {
  interface FastifyRequest {
    accessCookie: () => string | undefined
    refreshCookie: () => string | undefined
    /** What the client has shown of its device. */
    device: () => Device | undefined
  }
  interface FastifyReply {
    setSessionCookies: (tokens: TokenPair) => this
    clearSessionCookies: () => this
    setDeviceCookie: (token: string) => this
  }
}

/** The names of the cookies, with or without the prefixes that browsers hold their attributes to (RFC 6265bis §4.1.3). */
export const cookieNames = (prefix: boolean) =>
  prefix
    ? { access: '__Host-access_token', refresh: '__Secure-refresh_token', device: '__Secure-device_token' }
    : { access: 'access_token', refresh: 'refresh_token', device: 'device_token' }

/**
 * The cookies of a browser's session. Browsers keep a deleted cookie unless its attributes are repeated.
 * COOKIE_DOMAIN shares the access token's alone: the others are for this host and nobody else.
 * That of the device outlives the session, and logout leaves it.
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
    app.decorateRequest('device', function (this: FastifyRequest) {
      return app.tokens.devices.read(find(this, 'device') ?? '')
    })
    app.decorateReply('setSessionCookies', function (this: FastifyReply, tokens) {
      this.setCookie(names.access, tokens.access.token, { ...access, maxAge: tokens.access.expiresIn })
      this.setCookie(names.refresh, tokens.refreshToken, { ...refresh, maxAge: tokens.refreshExpiresIn })
      if (tokens.device !== undefined) this.setDeviceCookie(tokens.device)
      return clearOutdated(this)
    })
    app.decorateReply('clearSessionCookies', function (this: FastifyReply) {
      this.setCookie(names.access, '', { ...access, ...gone })
      this.setCookie(names.refresh, '', { ...refresh, ...gone })
      return clearOutdated(this)
    })
    app.decorateReply('setDeviceCookie', function (this: FastifyReply, token) {
      return this.setCookie(names.device, token, { ...refresh, maxAge: deviceLifetime })
    })

    /**
     * Who logged in before COOKIE_PREFIX was turned off stays logged in: nobody else can set a cookie with a prefix.
     * The other way round there is no such trust, since any host of the domain could have set a plain one.
     */
    function find({ cookies }: FastifyRequest, kind: keyof typeof names): string | undefined {
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
  { name: 'cookies', dependencies: ['config', 'jwt'] }
)

const common = { httpOnly: true }
const gone = { maxAge: 0, expires: new Date(0) }
const present = (value: string | undefined) => (value === '' ? undefined : value)
