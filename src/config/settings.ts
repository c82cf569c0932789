import { isIP } from 'node:net'
import { type Static, Type } from '@sinclair/typebox'
import { formatRate, type Limit, limits, ratePattern } from './limits.ts'

const text = (options = {}) => Type.String({ minLength: 1, ...options })
const whole = (minimum: number, maximum: number, fallback: number) =>
  Type.Integer({ minimum, maximum, default: fallback })
const choice = <const T extends string>(values: T[]) => Type.Unsafe<T>({ type: 'string', enum: values })
const oneOf = <const T extends string>(values: T[], fallback: NoInfer<T>) =>
  Type.Unsafe<T>({ type: 'string', enum: values, default: fallback })
const rate = (limit: Limit) =>
  Type.String({
    pattern: ratePattern,
    explanation: 'must be so many attempts in a time, such as 20/1m, 5/15m or 100/1h',
    default: formatRate(limit)
  })
const url = (pattern: string, explanation: string, options = {}) => text({ pattern, explanation, ...options })
const webUrl = () =>
  url('^https?://[^\\s?#@/]+(/[^\\s?#]*)?$', 'must be an http(s) URL without user, query or fragment')

/** However long access tokens live, by the setting of whichever instance, it is no longer than this. */
export const maxAccessTokenMinutes = 24 * 60

export const SettingsSchema = Type.Object({
  NODE_ENV: oneOf(['development', 'test', 'production'], 'development'),
  HOST: text({ default: '127.0.0.1' }),
  PORT: whole(0, 65535, 3000),
  DATABASE_URL: Type.Optional(
    url('^(pglite:.+|postgres(ql)?://.+)$', 'must be pglite:FOLDER, pglite:memory or postgres://USER@HOST/DATABASE')
  ),
  DATABASE_LISTEN_URL: Type.Optional(url('^postgres(ql)?://.+$', 'must be postgres://USER@HOST/DATABASE')),
  DATABASE_PASSWORD: Type.Optional(text()),
  DATABASE_POOL_SIZE: whole(1, 1000, 10),
  KEYS_DIR: text({ default: 'keys' }),
  JWT_PRIVATE_KEY: Type.Optional(text()),
  JWT_PUBLIC_KEY: Type.Optional(text()),
  ISSUER: Type.Optional(webUrl()),
  AUDIENCE: text({ default: 'gatehouse' }),
  ACCESS_TOKEN_EXPIRE_MINUTES: whole(1, maxAccessTokenMinutes, 15),
  REFRESH_TOKEN_EXPIRE_DAYS: whole(1, 365, 14),
  SESSION_MAX_DAYS: whole(1, 3650, 30),
  REFRESH_REUSE_INTERVAL_SECONDS: whole(0, 300, 10),
  JWKS_MAX_AGE_SECONDS: whole(0, 86400, 300),
  KEY_ACTIVATION_DELAY_SECONDS: whole(0, 604800, 300),
  COOKIE_SECURE: Type.Boolean({ default: true }),
  COOKIE_PREFIX: Type.Optional(choice(['on', 'off'])),
  COOKIE_DOMAIN: Type.Optional(
    url('^\\.?[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$', 'must be a domain name such as example.com')
  ),
  CORS_ORIGINS: Type.String({ default: '' }),
  TRUST_PROXY: Type.String({ default: '' }),
  PASSWORD_MIN_LENGTH: whole(8, 64, 8),
  ARGON2_MEMORY_KIB: whole(8, 4194304, 19456),
  ARGON2_ITERATIONS: whole(1, 100, 2),
  ARGON2_PARALLELISM: whole(1, 64, 1),
  PWNED_PASSWORDS_URL: Type.Optional(webUrl()),
  RATE_LIMIT: oneOf(['on', 'off'], 'on'),
  LIMIT_LOGIN: rate(limits.login),
  LIMIT_REGISTRATION: rate(limits.registration),
  LIMIT_FORGOT: rate(limits.forgot),
  LIMIT_MAIL: rate(limits.mail),
  LIMIT_LINK: rate(limits.link),
  LIMIT_PASSWORD: rate(limits.password),
  LIMIT_PROFILE: rate(limits.profile),
  LIMIT_USERNAME: rate(limits.username),
  LIMIT_EXPORT: rate(limits.export),
  LIMIT_REFRESH: rate(limits.refresh),
  LIMIT_CLIENT: rate(limits.client),
  REQUIRE_VERIFIED_EMAIL: oneOf(['on', 'off'], 'off'),
  UNVERIFIED_ACCOUNT_DAYS: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
  AUDIT_RETENTION_DAYS: whole(1, 36500, 365),
  SMTP_URL: Type.Optional(url('^smtps?://.+$', 'must be smtp://USER:PASSWORD@HOST:PORT or smtps://…')),
  MAIL_FROM: Type.Optional(text()),
  MAIL_TEMPLATES_DIR: Type.Optional(text()),
  PUBLIC_URL: Type.Optional(webUrl()),
  DOCS: Type.Optional(choice(['on', 'off'])),
  METRICS_PORT: Type.Optional(Type.Integer({ minimum: 0, maximum: 65535 })),
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info'),
  SHUTDOWN_TIMEOUT_SECONDS: whole(1, 300, 10),
  BOOTSTRAP_ADMIN_USERNAME: Type.Optional(text()),
  BOOTSTRAP_ADMIN_EMAIL: Type.Optional(text()),
  BOOTSTRAP_ADMIN_PASSWORD: Type.Optional(text())
})

export type Settings = Static<typeof SettingsSchema>

/** What each setting's own type cannot say. What production asks for is in production-checks.ts. */
export function contradictions(settings: Settings): string[] {
  const bootstrap = [
    settings.BOOTSTRAP_ADMIN_USERNAME,
    settings.BOOTSTRAP_ADMIN_EMAIL,
    settings.BOOTSTRAP_ADMIN_PASSWORD
  ].filter((value) => value !== undefined)
  const rules: [broken: boolean, fault: string][] = [
    [
      settings.DATABASE_URL?.startsWith('postgres') === true && !isReadable(settings.DATABASE_URL),
      'DATABASE_URL cannot be read: percent-encode special characters of its password (# is %23, / is %2F, % is %25)'
    ],
    [
      settings.DATABASE_PASSWORD !== undefined && !lacksPassword.test(settings.DATABASE_URL ?? ''),
      'DATABASE_PASSWORD goes with a DATABASE_URL that names a user and no password: postgres://USER@HOST/DATABASE'
    ],
    [
      !URL.canParse(readIssuer(settings)),
      settings.ISSUER === undefined ? 'HOST must be an address or a host name' : 'ISSUER cannot be read as a URL'
    ],
    [
      settings.SMTP_URL !== undefined && !isReadable(settings.SMTP_URL),
      'SMTP_URL cannot be read: percent-encode special characters of its password (# is %23, / is %2F, % is %25)'
    ],
    [
      settings.SMTP_URL !== undefined && settings.MAIL_FROM === undefined,
      'MAIL_FROM must name the sender of the mails, for example "Gatehouse <no-reply@example.com>"'
    ],
    ...(['PUBLIC_URL', 'PWNED_PASSWORDS_URL'] as const).map((name): [boolean, string] => [
      settings[name] !== undefined && !URL.canParse(settings[name]),
      `${name} cannot be read as a URL`
    ]),
    [
      settings.METRICS_PORT !== undefined && settings.METRICS_PORT !== 0 && settings.METRICS_PORT === settings.PORT,
      'METRICS_PORT must be another port than PORT: metrics are not for the public'
    ],
    [
      (settings.JWT_PRIVATE_KEY === undefined) !== (settings.JWT_PUBLIC_KEY === undefined),
      'JWT_PRIVATE_KEY and JWT_PUBLIC_KEY are the two halves of one pair: set both or neither'
    ],
    [
      settings.COOKIE_PREFIX === 'on' && settings.COOKIE_DOMAIN !== undefined,
      'COOKIE_PREFIX=on makes __Host- cookies, which cannot have a COOKIE_DOMAIN: set one of the two'
    ],
    [
      settings.COOKIE_PREFIX === 'on' && !settings.COOKIE_SECURE,
      'COOKIE_PREFIX=on makes __Host- cookies, which must be secure: remove COOKIE_SECURE=false'
    ],
    [
      settings.REFRESH_TOKEN_EXPIRE_DAYS > settings.SESSION_MAX_DAYS,
      'REFRESH_TOKEN_EXPIRE_DAYS must not be more than SESSION_MAX_DAYS'
    ],
    [
      bootstrap.length !== 0 && bootstrap.length !== 3,
      'BOOTSTRAP_ADMIN_USERNAME, BOOTSTRAP_ADMIN_EMAIL and BOOTSTRAP_ADMIN_PASSWORD go together: set all three or none'
    ],
    [
      !list(settings.TRUST_PROXY).every(isProxy),
      'TRUST_PROXY must list proxy addresses or networks such as 10.0.0.7 or 10.0.0.0/8, not names and not everyone'
    ],
    [
      settings.ARGON2_MEMORY_KIB < 8 * settings.ARGON2_PARALLELISM,
      'ARGON2_MEMORY_KIB must be at least 8 for each of ARGON2_PARALLELISM'
    ],
    ...list(settings.CORS_ORIGINS)
      .filter((origin) => !isOrigin(origin))
      .map((): [boolean, string] => [
        true,
        'CORS_ORIGINS must list exact origins such as https://app.example.com, separated by commas'
      ])
  ]
  return rules.filter(([broken]) => broken).map(([, fault]) => fault)
}

export function readIssuer(settings: Settings): string {
  const host = settings.HOST.includes(':') ? `[${settings.HOST}]` : settings.HOST
  return settings.ISSUER ?? `http://${host}:${String(settings.PORT)}`
}

const lacksPassword = /^(postgres(?:ql)?:\/\/[^:@/?#]+)@/

/** The URL of the database, with the password that stands apart from it. */
export function readDatabaseUrl(
  settings: Settings,
  name: 'DATABASE_URL' | 'DATABASE_LISTEN_URL' = 'DATABASE_URL'
): string | undefined {
  const { [name]: url, DATABASE_PASSWORD: password } = settings
  if (password === undefined) return url
  return url?.replace(lacksPassword, (_, start: string) => `${start}:${encodeURIComponent(password)}@`)
}

export const list = (value: string) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

const isOrigin = (value: string) =>
  URL.canParse(value) &&
  /^https?:$/.test(new URL(value).protocol) &&
  new URL(value).origin === value &&
  !value.includes('*')

export const isLoopback = (url: string): boolean => URL.canParse(url) && isLoopbackHost(new URL(url).hostname)

export const isLoopbackHost = (host: string): boolean => /^((.+\.)?localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host)

/** Whether the driver can read a database's URL, of which the standard knows only the first of several hosts. */
function isReadable(url: string): boolean {
  try {
    const { username, password } = new URL(url.replace(/,[^/?#]*/, ''))
    decodeURIComponent(`${username}:${password}`)
    return true
  } catch {
    return false
  }
}

// Bits: 10.0.0.0/8 and fc00::/7 are the largest private networks.
const largestNetwork = { 4: 8, 6: 7 }

/** An address, or a network that is no larger than a private one. */
function isProxy(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/')
  const family = isIP(address)
  if ((family !== 4 && family !== 6) || rest.length > 0) return false
  if (bits === undefined) return true
  return /^\d{1,3}$/.test(bits) && Number(bits) >= largestNetwork[family] && Number(bits) <= (family === 4 ? 32 : 128)
}
