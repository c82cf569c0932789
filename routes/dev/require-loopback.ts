import type { FastifyReply, FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'
import { Problem } from '../../src/errors.ts'
import { isLoopbackHost } from '../../src/config/settings.ts'

// What proxies add: a request that came through one may come from anywhere.
const addedByProxies = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']

/**
 * Whether a request comes from this machine alone. The name in `Host` counts too: a page of another site can have its own
 * name resolved to 127.0.0.1 (DNS rebinding), and then read what is served there. A page of another origin has no business
 * here either, not even of one in CORS_ORIGINS. HTTP/1.0 is what nginx speaks unless told otherwise, with a Host of its own.
 */
export function isFromLoopback({ headers, raw, socket }: FastifyRequest): boolean {
  const isForwarded = raw.httpVersion === '1.0' || addedByProxies.some((name) => headers[name] !== undefined)
  const isFromPage = headers.origin !== undefined && headers.origin !== `http://${headers.host ?? ''}`
  return !isForwarded && !isFromPage && isLoopbackAddress(socket.remoteAddress) && isLoopbackName(headers.host)
}

export function requireLoopback(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  done(isFromLoopback(request) ? undefined : new Problem('not_found'))
}

const isLoopbackAddress = (address = '') => ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback'

const isLoopbackName = (host = '') =>
  URL.canParse(`http://${host}`) && isLoopbackHost(new URL(`http://${host}`).hostname)
