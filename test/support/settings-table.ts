import { readConfig } from '../../src/config/config.ts'
import { SettingsSchema } from '../../src/config/settings.ts'

/** The names and defaults in the tables of a document. */
export function readSettings(page: string): Record<string, string> {
  const rows = [...page.matchAll(/^\| `([A-Z\d_]+)` +\| (.+?) +\|/gm)]
  return Object.fromEntries(rows.map(([, name = '', fallback = '']) => [name, fallback.replaceAll('`', '')]))
}

/** The name and default of every setting, as documents have them. */
export function defaultsOfSettings(): Record<string, string> {
  const settings = SettingsSchema.properties as Record<string, { default?: string | number | boolean }>
  const defaults = Object.entries(settings).map(([name, schema]) => [
    name,
    schema.default === undefined || schema.default === '' ? 'none' : String(schema.default)
  ])
  const byDefault = readConfig({})
  if (byDefault.issuer !== 'http://127.0.0.1:3000') throw new Error('ISSUER is not made of HOST and PORT')
  return {
    ...Object.fromEntries(defaults),
    DATABASE_URL: byDefault.database.url,
    COOKIE_PREFIX: byDefault.cookies.prefix ? 'on' : 'off',
    DOCS: byDefault.docs ? 'on' : 'off',
    ISSUER: 'http://HOST:PORT'
  } as Record<string, string>
}
