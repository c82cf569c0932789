import { readFileSync } from 'node:fs'
import t from 'tap'
import { paging } from '../../routes/admin/schemas.ts'
import { linkLifetimes } from '../../src/repositories/email-links.ts'
import { bodyLimit, defaultTimeouts } from '../../app.ts'
import { maxSecrets } from '../../src/operations/admin/clients.ts'
import { readConfig } from '../../src/config/config.ts'
import { statementTimeout } from '../../src/database/connection.ts'
import { maxWaitingPerConnection } from '../../src/database/pool.ts'
import { formatRate, limits, readRate } from '../../src/config/limits.ts'
import { mailBudgets } from '../../src/throttling/mail-budgets.ts'
import { freeFailures, lockout, maxWait, maxFailures, remembrance } from '../../src/repositories/failure-counters.ts'
import { maxKnownWaitingPerThread, maxWaitingPerThread } from '../../src/passwords/hasher.ts'
import { maxPasswordLength } from '../../src/passwords/policy.ts'
import { freshFor } from '../../src/factors/authentication.ts'
import { maxSessionsPerUser } from '../../src/operations/log-in.ts'
import { SettingsSchema } from '../../src/config/settings.ts'
import { deviceLifetime, maxUsersPerDevice } from '../../src/tokens/device-token.ts'
import { maxEventsExported } from '../../src/operations/export-account.ts'

const page = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8')

/** The rows of the table under a heading, without its head. */
function rowsUnder(heading: string): string[][] {
  const [, text = ''] = page.split(`\n## ${heading}\n`)
  const lines = (text.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', ''))
  )
}

const settings: Record<string, object> = SettingsSchema.properties

await t.test('docs/limits.md tells of every limit of the routes, with its setting', async (t) => {
  const told = rowsUnder('How often').map(([, per, rate, setting]) => [setting, per, rate])
  const there = Object.entries(limits).map(([name, limit]) => [
    `LIMIT_${name.toUpperCase()}`,
    limit.per,
    formatRate(limit)
  ])
  t.same(told, there)
  for (const [name = ''] of there) t.ok(name in settings, name)
})

await t.test('and of what wrong passwords lead to', async (t) => {
  t.same(
    rowsUnder('Wrong passwords').map(([, value]) => value),
    [
      String(freeFailures),
      `${String(maxWait / 60)} minutes`,
      String(maxFailures),
      `${String(lockout / 3600)} hours`,
      `${String(remembrance)} days`,
      `${String(deviceLifetime / 86_400)} days`,
      String(maxUsersPerDevice)
    ]
  )
})

await t.test('and of how many mails there are', async (t) => {
  t.same(
    rowsUnder('Mails').map(([, value]) => Number(value)),
    [mailBudgets.recipient, mailBudgets.user, mailBudgets.administrator, mailBudgets.network]
  )
})

await t.test('and of the other limits', async (t) => {
  const config = readConfig({})
  const day = 86_400
  const hours = (seconds: number) => seconds / 3600
  const there: [value: number | undefined, setting?: string][] = [
    [maxSessionsPerUser],
    [config.session.idle / day, 'REFRESH_TOKEN_EXPIRE_DAYS'],
    [config.session.absolute / day, 'SESSION_MAX_DAYS'],
    [config.accessTokenLifetime / 60, 'ACCESS_TOKEN_EXPIRE_MINUTES'],
    [config.session.reuseInterval, 'REFRESH_REUSE_INTERVAL_SECONDS'],
    [freshFor],
    [hours(linkLifetimes.password_reset)],
    [hours(linkLifetimes.unlock)],
    [hours(linkLifetimes.email_verification)],
    [hours(linkLifetimes.invitation)],
    [linkLifetimes.email_undo / day],
    [config.passwordMinLength, 'PASSWORD_MIN_LENGTH'],
    [maxPasswordLength],
    [maxSecrets],
    [maxEventsExported],
    [paging.limit.maximum],
    [config.auditRetention, 'AUDIT_RETENTION_DAYS'],
    [bodyLimit],
    [defaultTimeouts.request / 1000],
    [defaultTimeouts.inactivity / 1000],
    [maxWaitingPerThread],
    [maxKnownWaitingPerThread],
    [config.database.poolSize, 'DATABASE_POOL_SIZE'],
    [maxWaitingPerConnection],
    [statementTimeout / 1000],
    [config.shutdownTimeout, 'SHUTDOWN_TIMEOUT_SECONDS']
  ]
  const told = rowsUnder('How much, and for how long').map(([, value, setting]) => [value, setting])
  t.same(
    told,
    there.map(([value, setting = '']) => [String(value), setting])
  )
  for (const [, setting] of told) if (setting) t.ok(setting in settings, setting)
})

await t.test('a limit is set as so many in a time', async (t) => {
  for (const limit of Object.values(limits)) {
    t.same(readRate(formatRate(limit)), { attempts: limit.attempts, within: limit.within })
  }
  t.match(readConfig({ LIMIT_LOGIN: '3/30s' }).limits.login, { attempts: 3, within: 30, per: 'device' })
  for (const wrong of ['0/1m', '3', '3/m', '3/0m', '3 / 1m', '3/1w', '-1/1m']) {
    t.throws(() => readConfig({ LIMIT_LOGIN: wrong }), /LIMIT_LOGIN must be so many attempts in a time/, wrong)
  }
})
