import fastifyCookie, { type CookieSerializeOptions } from '@fastify/cookie'
import fp from 'fastify-plugin'
import type { AccessToken } from '../src/tokens/access-token.ts'

declare module 'fastify' {
  interface FastifyInstance {
    accessCookieName: string
  }
  interface FastifyReply {
    setAccessCookie: (token: AccessToken) => this
    clearCookies: () => this
  }
}

/** The cookies of a browser's session. Browsers keep a deleted cookie unless its attributes are repeated. */
export default fp(
  async function cookies(app) {
    const { secure, prefix, domain } = app.config.cookies
    const name = prefix ? '__Host-access_token' : 'access_token'
    const attributes: CookieSerializeOptions = {
      httpOnly: true,
      secure,
      sameSite: 'lax',
      path: '/',
      ...(domain !== undefined && { domain })
    }
    await app.register(fastifyCookie)
    app.decorate('accessCookieName', name)
    app.decorateReply('setAccessCookie', function ({ token, expiresIn }) {
      return this.setCookie(name, token, { ...attributes, maxAge: expiresIn })
    })
    app.decorateReply('clearCookies', function () {
      return this.setCookie(name, '', { ...attributes, maxAge: 0, expires: new Date(0) })
    })
  },
  { name: 'cookies', dependencies: ['config'] }
)
