import type { Config } from '../src/config/config.ts'
import { isLoopback, isLoopbackHost } from '../src/config/settings.ts'
import type { Check } from './check.ts'

type Way = Pick<Config, 'host' | 'port' | 'issuer' | 'trustProxy' | 'cookies'>

/** Whether the settings agree on how requests arrive. That production has no TRUST_PROXY is told with its settings. */
export function checkProxy({ host, port, issuer, trustProxy }: Way): Check[] {
  const proxies = trustProxy.join(', ')
  const faults: string[] = []
  if (trustProxy.length > 0 && issuer.startsWith('http:') && !isLoopback(issuer)) {
    faults.push(
      `TRUST_PROXY names ${proxies}, and ISSUER is ${issuer}: set ISSUER to the https URL at which clients reach the proxy`
    )
  }
  if (trustProxy.length > 0 && isLoopbackHost(host) && !trustProxy.some(isOfThisMachine)) {
    faults.push(
      `HOST=${host} takes connections from this machine alone, and TRUST_PROXY names ${proxies}: set HOST to an address that the proxy reaches, or name 127.0.0.1 if it runs here`
    )
  }
  const ok =
    trustProxy.length > 0
      ? `What ${proxies} forwards is believed: address, host and scheme of clients`
      : `Clients reach ${host}:${String(port)} themselves: no forwarding header is believed`
  return toChecks('proxy', faults, ok)
}

/** Whether browsers keep the cookies. */
export function checkCookies({ issuer, cookies: { secure, prefix, domain } }: Way): Check[] {
  const { protocol, hostname } = new URL(issuer)
  const faults: string[] = []
  if (secure && protocol === 'http:' && !isLoopback(issuer)) {
    faults.push(
      `Browsers drop Secure cookies that come from ${issuer}, and nobody stays logged in: serve by https and set ISSUER, or COOKIE_SECURE=false for development`
    )
  }
  if (!secure && protocol === 'https:') {
    faults.push('COOKIE_SECURE=false lets cookies go out by http, too: remove it, since ISSUER is https')
  }
  if (domain !== undefined && !covers(domain, hostname)) {
    faults.push(
      `Browsers drop cookies of COOKIE_DOMAIN=${domain} that come from ${hostname}: name ${hostname} or a domain above it, or remove COOKIE_DOMAIN`
    )
  }
  const attributes = [
    secure ? 'Secure' : 'not Secure',
    prefix ? 'with prefixes' : 'without prefixes',
    domain === undefined ? `for ${hostname} alone` : `for ${domain} and what is below it`
  ]
  return toChecks('cookies', faults, `Browsers keep them: ${attributes.join(', ')}`)
}

const toChecks = (about: Check['about'], faults: string[], ok: string): Check[] =>
  faults.length === 0
    ? [{ about, status: 'ok', message: ok }]
    : faults.map((message) => ({ about, status: 'warning', message }))

const isOfThisMachine = (network: string) => /^(127\.|::1(\/|$))/.test(network)

/** RFC 6265 §5.1.3. */
function covers(domain: string, host: string): boolean {
  const name = domain.replace(/^\./, '').toLowerCase()
  return host === name || host.endsWith(`.${name}`)
}
