import { readDatabaseUrl, readIssuer, isLoopback, isLoopbackHost, list, type Settings } from './settings.ts'

/** What is unsafe: `refuse` keeps the service from starting, `warn` is a line in its log. Each says what to do. */
export interface Finding {
  level: 'refuse' | 'warn'
  message: string
}

type Rule = [level: Finding['level'], broken: boolean, message: string]

// What images, tutorials and our own documents use.
const wellKnownPasswords = new Set(
  'postgres postgresql password passwd pass secret mysecretpassword admin administrator root user test example changeme changeit gatehouse letmein qwerty 1234 12345 123456 12345678 123456789'.split(
    ' '
  )
)

/**
 * What production asks of the settings. Refused is what no sound deployment has; what one can have, behind a network or
 * a mount that is closed otherwise, is a warning.
 */
export function findingsOfSettings(settings: Settings): Finding[] {
  if (settings.NODE_ENV !== 'production') return []
  const issuer = readIssuer(settings)
  const rules: Rule[] = [
    [
      'refuse',
      settings.DATABASE_URL === undefined,
      'DATABASE_URL must be named with NODE_ENV=production, for example postgres://USER@HOST/DATABASE'
    ],
    ...(['DATABASE_URL', 'DATABASE_LISTEN_URL'] as const).map((name): Rule => [
      'refuse',
      hasGuessablePassword(readDatabaseUrl(settings, name)),
      `${name} holds a well-known password, or one that is the name of its user or database: choose another for production`
    ]),
    [
      'warn',
      settings.DATABASE_URL?.startsWith('pglite:') === true,
      settings.DATABASE_URL === 'pglite:memory'
        ? 'DATABASE_URL=pglite:memory forgets every user when the service stops: use postgres://… in production'
        : 'DATABASE_URL=pglite:… is a database for development, which a power cut can damage: use postgres://… in production'
    ],
    [
      'refuse',
      issuer.startsWith('http:') && !isLoopback(issuer),
      'ISSUER must be the https URL at which clients reach the service with NODE_ENV=production'
    ],
    [
      'warn',
      isLoopback(issuer) && !isLoopbackHost(settings.HOST),
      'ISSUER names this machine alone, and HOST lets others in: set ISSUER to the https URL at which clients reach the service'
    ],
    [
      'refuse',
      isPlainAndRemote(settings.PUBLIC_URL),
      'PUBLIC_URL must be an https URL with NODE_ENV=production: the links in mails begin with it'
    ],
    [
      'refuse',
      list(settings.CORS_ORIGINS).some(isPlainAndRemote),
      'CORS_ORIGINS must list https origins with NODE_ENV=production: anybody on the way can change a page that comes by http'
    ],
    [
      'warn',
      list(settings.CORS_ORIGINS).some(isLoopback),
      'CORS_ORIGINS lists an origin of this machine, which any program of a user can serve: remove what is for development'
    ],
    ['warn', isPlainAndRemote(settings.PWNED_PASSWORDS_URL), 'PWNED_PASSWORDS_URL is asked without TLS: use https'],
    [
      'refuse',
      !settings.COOKIE_SECURE,
      'COOKIE_SECURE=false sends tokens in the clear: remove it with NODE_ENV=production'
    ],
    [
      'warn',
      issuer.startsWith('https:') && settings.TRUST_PROXY === '',
      'TRUST_PROXY is not set: if a reverse proxy does TLS, name its address, or all clients have that address and share its limits'
    ],
    [
      'warn',
      settings.RATE_LIMIT === 'off',
      'RATE_LIMIT=off lets anybody guess passwords without end: remove it unless this is a load test'
    ],
    [
      'refuse',
      settings.ARGON2_MEMORY_KIB * settings.ARGON2_ITERATIONS < 7168 * 5,
      'ARGON2_MEMORY_KIB and ARGON2_ITERATIONS are weaker than OWASP advises (19456 and 2, or 7168 and 5)'
    ],
    [
      'refuse',
      settings.REQUIRE_VERIFIED_EMAIL === 'on' && settings.SMTP_URL === undefined,
      'SMTP_URL must be set with REQUIRE_VERIFIED_EMAIL=on: nobody could verify an address without mail'
    ],
    [
      'warn',
      settings.SMTP_URL === undefined,
      'SMTP_URL is not set: mails wait in the outbox, where only "gatehouse outbox" shows them'
    ],
    [
      'warn',
      mayMailInTheClear(settings.SMTP_URL),
      'SMTP_URL goes on without TLS where the server, or anybody on the way, offers none: use smtps://…, or add ?requireTLS=true'
    ]
  ]
  return rules.filter(([, broken]) => broken).map(([level, , message]) => ({ level, message }))
}

const isPlainAndRemote = (url: string | undefined) => url?.startsWith('http:') === true && !isLoopback(url)

/** Links of mails reset passwords: who reads one on its way has the account. */
function mayMailInTheClear(url: string | undefined): boolean {
  if (url?.startsWith('smtp:') !== true || !URL.canParse(url)) return false
  const { hostname, searchParams } = new URL(url)
  return !isLoopbackHost(hostname) && searchParams.get('requireTLS') !== 'true' && searchParams.get('secure') !== 'true'
}

function hasGuessablePassword(url: string | undefined): boolean {
  if (url?.startsWith('postgres') !== true) return false
  try {
    // The standard knows only the first of several hosts.
    const { username, password, pathname, searchParams } = new URL(url.replace(/,[^/?#]*/, ''))
    const [user, secret, name] = [
      searchParams.get('user') ?? decodeURIComponent(username),
      searchParams.get('password') ?? decodeURIComponent(password),
      decodeURIComponent(pathname.slice(1))
    ].map((part) => part.toLowerCase())
    return secret !== '' && secret !== undefined && (wellKnownPasswords.has(secret) || [user, name].includes(secret))
  } catch {
    // That it cannot be read is another fault.
    return false
  }
}
