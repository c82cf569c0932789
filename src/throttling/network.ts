import { isIP } from 'node:net'

/**
 * Whose attempts are counted together: an IPv4 address, however it is written, or the /64 of an IPv6 address, of which one
 * customer has at least 2^64 (CVE-2026-45364). What is no address, as from a proxy's odd header, stands for itself.
 */
export function toNetwork(address: string): string {
  const bare = withoutPort(address)
  const family = isIP(bare)
  if (family === 4) return bare
  if (family !== 6) return address.slice(0, 64)
  const groups = parseGroups(bare)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.')
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** Some proxies forward the client's port as well, and it is another one for each connection. */
function withoutPort(address: string): string {
  const [, ipv4, ipv6] = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[(.*)\](?::\d+)?)$/.exec(address) ?? []
  return (ipv4 ?? ipv6 ?? address).replace(/%.*$/, '')
}

/** The eight groups of an IPv6 address: the URL parser knows every spelling. */
function parseGroups(ipv6: string): number[] {
  const [head = '', tail] = new URL(`http://[${ipv6}]`).hostname.slice(1, -1).split('::')
  const [left, right] = [head, tail ?? ''].map((part) =>
    part === '' ? [] : part.split(':').map((group) => parseInt(group, 16))
  ) as [number[], number[]]
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}
