import { developmentRates, type LimitName, type Limits, limits, readRate } from './limits.ts'
import { parseSettings, settingNames } from './parse-settings.ts'
import { type Finding, findingsOfSettings } from './production-checks.ts'
import { contradictions, isLoopback, readDatabaseUrl, readIssuer, list, type Settings } from './settings.ts'

export interface MailConfig {
  /** Without one, mail waits in the outbox, where `gatehouse outbox` shows it. */
  smtpUrl: string | undefined
  from: string
  /** A team's own templates, used in the place of ours where they are there. */
  templatesDir: string | undefined
  /** What the links in mails begin with. */
  linkBase: string
  /** Whether the log has mails in full: outside production, without a mail server. */
  logsMails: boolean
  /** Whether they are also at /dev/mail: not where links begin with https, as those of a service that others reach do. */
  showsMails: boolean
}

export interface Config {
  production: boolean
  host: string
  port: number
  database: DatabaseOptions
  keys: { dir: string } | { privateKeyFile: string; publicKeyFile: string }
  issuer: string
  audience: string
  /** Seconds. */
  accessTokenLifetime: number
  session: SessionLimits
  jwksMaxAge: number
  /** Seconds for which a new key is published before it signs. */
  keyActivationDelay: number
  cookies: { secure: boolean; prefix: boolean; domain: string | undefined }
  /** Origins, beside the service's own, whose pages may call with cookies. */
  corsOrigins: string[]
  /** Origins at which the service itself is reached. */
  ownOrigins: string[]
  trustProxy: string[]
  passwordMinLength: number
  argon2: { memoryCost: number; timeCost: number; parallelism: number }
  /** Where passwords that leaked are asked for, by the range protocol of Have I Been Pwned. */
  pwnedPasswordsUrl: string | undefined
  rateLimit: boolean
  limits: Limits
  requireVerifiedEmail: boolean
  /** Days after which accounts that nobody verified or logged in to are deleted; undefined if they are kept. */
  unverifiedAccounts: number | undefined
  /** Days. */
  auditRetention: number
  mail: MailConfig
  docs: boolean
  metricsPort: number | undefined
  logLevel: string
  /** Seconds. */
  shutdownTimeout: number
  bootstrapAdmin: { username: string; email: string; password: string } | undefined
  /** What production advises against and starts with all the same. */
  warnings: Finding[]
}

/** All that is wrong with the settings, one fault a line, each naming its variable. */
export class ConfigError extends Error {
  readonly faults: string[]

  constructor(faults: string[]) {
    super(`The settings are not valid:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
    this.faults = faults
  }
}

/**
 * Reads the settings from an environment. An empty variable counts as absent; NAME_FILE names a file that holds NAME.
 * @param names those that are asked for; the others have their defaults
 * @throws {ConfigError} naming every fault at once; never with a setting's value, which may be a secret
 */
export function readConfig(env: NodeJS.ProcessEnv, names: string[] = settingNames): Config {
  const { settings, isGiven, faults, refused } = parseSettings(env, names)
  const findings = findingsOfSettings(settings)
  const unsafe = findings.filter(({ level }) => level === 'refuse').map(({ message }) => message)
  const others = [...contradictions(settings), ...unsafe]
  faults.push(...others.filter((fault) => !refused.some((name) => mentions(fault, name))))
  if (faults.length > 0) throw new ConfigError(faults)
  return { ...toConfig(settings, isGiven), warnings: findings }
}

/** Not where the name is part of another, or of an example such as postgres://USER@HOST/DATABASE. */
const mentions = (fault: string, name: string): boolean => new RegExp(`(?<![\\w@])${name}(?!\\w)`).test(fault)

function toConfig(settings: Settings, isGiven: Set<string>): Omit<Config, 'warnings'> {
  const minute = 60
  const day = 24 * 60 * minute
  const issuer = readIssuer(settings)
  const production = settings.NODE_ENV === 'production'
  const {
    BOOTSTRAP_ADMIN_USERNAME: username,
    BOOTSTRAP_ADMIN_EMAIL: email,
    BOOTSTRAP_ADMIN_PASSWORD: password
  } = settings
  // Cookies of a domain cannot have the prefix of those that are one host's.
  const prefixByDefault = production && settings.COOKIE_DOMAIN === undefined ? 'on' : 'off'
  const databaseUrl = readDatabaseUrl(settings) ?? 'pglite:./data'
  const linkBase = (settings.PUBLIC_URL ?? issuer).replace(/\/+$/, '')
  // Only its developer reaches it: it may tell and allow more.
  const isLocal = !production && isLoopback(linkBase)
  const logsMails = !production && settings.SMTP_URL === undefined
  return {
    production,
    host: settings.HOST,
    port: settings.PORT,
    database: {
      url: databaseUrl,
      listenUrl: readDatabaseUrl(settings, 'DATABASE_LISTEN_URL') ?? databaseUrl,
      poolSize: settings.DATABASE_POOL_SIZE
    },
    keys:
      settings.JWT_PRIVATE_KEY !== undefined && settings.JWT_PUBLIC_KEY !== undefined
        ? { privateKeyFile: settings.JWT_PRIVATE_KEY, publicKeyFile: settings.JWT_PUBLIC_KEY }
        : { dir: settings.KEYS_DIR },
    issuer,
    audience: settings.AUDIENCE,
    accessTokenLifetime: settings.ACCESS_TOKEN_EXPIRE_MINUTES * minute,
    session: {
      idle: settings.REFRESH_TOKEN_EXPIRE_DAYS * day,
      absolute: settings.SESSION_MAX_DAYS * day,
      reuseInterval: settings.REFRESH_REUSE_INTERVAL_SECONDS
    },
    jwksMaxAge: settings.JWKS_MAX_AGE_SECONDS,
    keyActivationDelay: settings.KEY_ACTIVATION_DELAY_SECONDS,
    cookies: {
      secure: settings.COOKIE_SECURE,
      prefix: (settings.COOKIE_PREFIX ?? prefixByDefault) === 'on',
      domain: settings.COOKIE_DOMAIN
    },
    corsOrigins: list(settings.CORS_ORIGINS),
    ownOrigins: [issuer, settings.PUBLIC_URL].flatMap((own) => (own ? [new URL(own).origin] : [])),
    trustProxy: list(settings.TRUST_PROXY),
    passwordMinLength: settings.PASSWORD_MIN_LENGTH,
    argon2: {
      memoryCost: settings.ARGON2_MEMORY_KIB,
      timeCost: settings.ARGON2_ITERATIONS,
      parallelism: settings.ARGON2_PARALLELISM
    },
    pwnedPasswordsUrl: settings.PWNED_PASSWORDS_URL,
    rateLimit: settings.RATE_LIMIT === 'on',
    limits: readLimits(settings, isLocal ? developmentRates : {}, isGiven),
    requireVerifiedEmail: settings.REQUIRE_VERIFIED_EMAIL === 'on',
    unverifiedAccounts: settings.UNVERIFIED_ACCOUNT_DAYS ?? (settings.REQUIRE_VERIFIED_EMAIL === 'on' ? 30 : undefined),
    auditRetention: settings.AUDIT_RETENTION_DAYS,
    mail: {
      smtpUrl: settings.SMTP_URL,
      from: settings.MAIL_FROM ?? 'Gatehouse <gatehouse@localhost>',
      templatesDir: settings.MAIL_TEMPLATES_DIR,
      linkBase,
      logsMails,
      showsMails: logsMails && (linkBase.startsWith('http:') || isLoopback(linkBase))
    },
    docs: (settings.DOCS ?? (production ? 'off' : 'on')) === 'on',
    metricsPort: settings.METRICS_PORT,
    logLevel: settings.LOG_LEVEL,
    shutdownTimeout: settings.SHUTDOWN_TIMEOUT_SECONDS,
    bootstrapAdmin: username && email && password ? { username, email, password } : undefined
  }
}

/** The limits, each with the numbers of its setting, or else of `rates`. */
function readLimits(settings: Settings, rates: Partial<Record<LimitName, string>>, isGiven: Set<string>): Limits {
  const given: Record<string, unknown> = settings
  return Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => {
      const setting = `LIMIT_${name.toUpperCase()}`
      const rate = isGiven.has(setting) ? given[setting] : rates[name as LimitName]
      return [name, { ...limit, ...(typeof rate === 'string' && readRate(rate)) }]
    })
  ) as Record<LimitName, (typeof limits)[LimitName]>
}

export interface DatabaseOptions {
  url: string
  /** A direct connection for notifications, where a pooler stands between. */
  listenUrl: string
  poolSize: number
}

/** Seconds: how long a session lives without use, and how long at most. */
export interface SessionLifetime {
  idle: number
  absolute: number
}
export interface SessionLimits extends SessionLifetime {
  /** Seconds for which a rotated token may come again. */
  reuseInterval: number
}
