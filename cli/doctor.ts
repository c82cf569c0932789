import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../src/config/config.ts'
import type { Db } from '../src/database/database.ts'
import type { Check } from './check.ts'
import { checkCookies, checkProxy } from './doctor-browsers.ts'
import { print } from './output.ts'
import { type Columns, createTable } from './table.ts'

type Explain = (error: unknown) => string

// Seconds by which the clocks of this process and of the database may differ, for tokens of another instance to be good.
const clocksAgree = 2
const clocksAreWrong = 30

export function addDoctor(program: Command, env: NodeJS.ProcessEnv): void {
  program
    .command('doctor')
    .description(
      'check settings, files, proxy, cookies, keys, database, clock and mail as "serve" would find them; changes nothing'
    )
    .action(async (_options: object, command: Command) => {
      const checks = await examine(env)
      if (checks.some(({ status }) => status === 'failed')) process.exitCode = 1
      print(command, { ok: process.exitCode !== 1, checks }, createTable(columns)(checks).trimEnd())
    })
}

async function examine(env: NodeJS.ProcessEnv): Promise<Check[]> {
  const { ConfigError, readConfig } = await import('../src/config/config.ts')
  const { explainFailure } = await import('./failure.ts')
  let config: Config
  try {
    config = readConfig(env)
  } catch (error) {
    // Without settings there is nothing else to look at.
    if (error instanceof ConfigError)
      return error.faults.map((message) => ({ about: 'settings', status: 'failed', message }))
    throw error
  }
  const explain: Explain = (error) => explainFailure(error, env)
  return [
    ...checkSettings(config),
    ...(await checkFiles(config)),
    ...checkProxy(config),
    ...checkCookies(config),
    await checkKeys(config, explain),
    ...(await checkDatabase(config, explain)),
    ...(await checkMail(config))
  ]
}

const columns: Columns<Check> = {
  status: ({ status }) => status,
  check: ({ about }) => about,
  message: ({ message }) => message
}

function checkSettings({ production, warnings }: Config): Check[] {
  if (!production) {
    const message = 'They are valid. What production asks for is checked with NODE_ENV=production'
    return [{ about: 'settings', status: 'ok', message }]
  }
  if (warnings.length === 0) return [{ about: 'settings', status: 'ok', message: 'They are fit for production' }]
  return warnings.map(({ message }) => ({ about: 'settings', status: 'warning', message }))
}

async function checkFiles(config: Config): Promise<Check[]> {
  const { findingsOfFiles } = await import('../src/keys/file-permissions.ts')
  const findings = findingsOfFiles(config)
  if (findings.length === 0) {
    return [{ about: 'files', status: 'ok', message: 'Keys and data are closed to other users of this machine' }]
  }
  return findings.map(({ level, message }) => ({
    about: 'files',
    status: level === 'refuse' ? 'failed' : 'warning',
    message
  }))
}

async function checkKeys(config: Config, explain: Explain): Promise<Check> {
  const { readKeys } = await import('../src/keys/key-files.ts')
  const { listSchedules } = await import('../src/keys/key-states.ts')
  const { openKeyring } = await import('../src/keys/keyring.ts')
  try {
    const { signing, refresh } = readKeys(config.keys)
    if (!config.production && 'dir' in config.keys && (signing.length === 0 || refresh.length === 0)) {
      return checkPlace('keys', config.keys.dir, `The first start makes what is missing in ${config.keys.dir}`)
    }
    const keyring = openKeyring({ source: config.keys, schedules: listSchedules(config) })
    keyring.close()
    const { signing: accessKey, refreshSigning: refreshKey } = keyring.current()
    const message = `Key ${accessKey.kid} signs access tokens (${accessKey.algorithm}), and ${refreshKey.kid} refresh tokens`
    return { about: 'keys', status: 'ok', message }
  } catch (error) {
    return { about: 'keys', status: 'failed', message: explain(error) }
  }
}

async function checkDatabase({ database: options }: Config, explain: Explain): Promise<Check[]> {
  const { openDatabase } = await import('../src/database/open.ts')
  const { EmbeddedDatabaseError } = await import('../src/database/errors.ts')
  try {
    const database = await openDatabase(options, 'refuse')
    try {
      return [
        { about: 'database', status: 'ok', message: 'It answers' },
        await checkSchema(database.db),
        options.url.startsWith('pglite:') ? clockOfEmbedded : await checkClock(database.db)
      ]
    } finally {
      await database.close()
    }
  } catch (error) {
    const reason = error instanceof EmbeddedDatabaseError ? error.reason : 'unusable'
    if (reason === 'unusable') return [{ about: 'database', status: 'failed', message: explain(error) }]
    return [checkEmbedded(options.url.slice('pglite:'.length), reason)]
  }
}

function checkEmbedded(location: string, reason: 'missing' | 'in use'): Check {
  if (reason === 'in use') {
    const message = `The embedded database in ${location} is in use, and serves one process: stop the service to have it examined`
    return { about: 'database', status: 'ok', message }
  }
  if (location === 'memory') {
    return { about: 'database', status: 'ok', message: 'Each start makes an embedded database in memory' }
  }
  const message = `The first start makes the embedded database in ${resolve(location)}`
  // Its lock is made beside it.
  return checkPlace('database', dirname(resolve(location)), message)
}

/** Of a folder that the first start writes in, or makes: whether it could. */
function checkPlace(about: Check['about'], folder: string, message: string): Check {
  const nearest = findNearest(resolve(folder))
  if (statSync(nearest).isDirectory() && mayWrite(nearest)) return { about, status: 'ok', message }
  return {
    about,
    status: 'failed',
    message: `${message}, and cannot write in ${nearest}: check that it is a folder, and who may`
  }
}

/** The path, or the nearest folder above it that is there: the root always is. */
const findNearest = (path: string): string => (existsSync(path) ? path : findNearest(dirname(path)))

function mayWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

async function checkSchema(db: Db): Promise<Check> {
  const { countPendingMigrations } = await import('../src/database/migrate.ts')
  const pending = await countPendingMigrations(db)
  if (pending === 0) return { about: 'schema', status: 'ok', message: 'It is up to date' }
  const message = `Migrations are pending (${String(pending)}): "gatehouse migrate" or the next start applies them`
  return { about: 'schema', status: 'warning', message }
}

const clockOfEmbedded: Check = {
  about: 'clock',
  status: 'ok',
  message: "The embedded database has this machine's clock"
}

async function checkClock(db: Db): Promise<Check> {
  const { sql } = await import('drizzle-orm')
  const before = Date.now()
  const [row] = await db
    .select({ now: sql<string>`extract(epoch from clock_timestamp())` })
    .from(sql`(values (1)) as one`)
  const between = (before + Date.now()) / 2 / 1000
  const apart = Math.round(Math.abs(Number(row?.now) - between) * 10) / 10
  const status = apart <= clocksAgree ? 'ok' : apart <= clocksAreWrong ? 'warning' : 'failed'
  const message = `The clocks of this machine and of the database are ${String(apart)} s apart`
  return { about: 'clock', status, message: status === 'ok' ? message : `${message}: keep both by NTP` }
}

async function checkMail({ production, mail }: Config): Promise<Check[]> {
  const { smtpUrl } = mail
  if (smtpUrl === undefined) {
    // That production has none is told with the settings.
    if (production) return []
    const { placeOfWaiting } = await import('../src/mail/waiting.ts')
    const message = `No mail is sent, for there is no SMTP_URL: ${placeOfWaiting(mail)} shows it`
    return [{ about: 'mail', status: 'ok', message }]
  }
  const { verifySmtp } = await import('../src/mail/transport.ts')
  const { readReason } = await import('../src/mail/failure.ts')
  const { host } = new URL(smtpUrl)
  try {
    await verifySmtp(smtpUrl)
    return [{ about: 'mail', status: 'ok', message: `The mail server at ${host} takes mail from here` }]
  } catch (error) {
    const { code, response } = readReason(error)
    const reason = [code, response]
      .filter((part) => part !== undefined)
      .map(String)
      .join(' ')
    const message = `The mail server at ${host} does not take mail from here (${reason}): check SMTP_URL and that the server runs`
    return [{ about: 'mail', status: 'failed', message }]
  }
}
