import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * Whose attempts are counted together: an IPv4 address, however it is written, or the /64 of an IPv6 address, of which one
 * customer has at least 2^64 (CVE-2026-45364). What is no address, as from a proxy's odd header, stands for itself.
 */
export function toNetwork(address: string): string {
  const bare = withoutPort(address)
  if (isIP(bare) === 0) return address.slice(0, 64)
  // One that was mapped into IPv6 as what it is (RFC 4291 §2.5.5.2).
  const parsed = ipaddr.process(bare)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const prefix = (parsed as ipaddr.IPv6).parts.slice(0, 4).map((group) => group.toString(16))
  return `${prefix.join(':')}::/64`
}

/** Some proxies forward the client's port as well, and it is another one for each connection. */
function withoutPort(address: string): string {
  const [, ipv4, ipv6] = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[(.*)\](?::\d+)?)$/.exec(address) ?? []
  return (ipv4 ?? ipv6 ?? address).replace(/%.*$/, '')
}
