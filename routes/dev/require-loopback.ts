import type { FastifyReply, FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'
import { Problem } from '../../src/errors.ts'
import { isLoopbackHost } from '../../src/config/settings.ts'

// What proxies add: a request that came through one may come from anywhere.
const addedByProxies = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']

/**
 * Lets requests from this machine alone pass. The name in `Host` counts too: a page of another site can have its own name
 * resolved to 127.0.0.1 (DNS rebinding), and then read what is served there.
 */
export function requireLoopback(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  const { headers, socket } = request
  const isForwarded = addedByProxies.some((name) => headers[name] !== undefined)
  const isLocal = isLoopbackAddress(socket.remoteAddress) && isLoopbackName(headers.host)
  done(isLocal && !isForwarded ? undefined : new Problem('not_found'))
}

const isLoopbackAddress = (address = '') => ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback'

const isLoopbackName = (host = '') =>
  URL.canParse(`http://${host}`) && isLoopbackHost(new URL(`http://${host}`).hostname)
