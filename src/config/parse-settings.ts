import type { TSchema } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import { findMisspelt, readSetting } from './environment.ts'
import { type Settings, SettingsSchema } from './settings.ts'

export interface ParsedSettings {
  settings: Settings
  /** The names that the environment holds; the others have their defaults. */
  isGiven: Set<string>
  /** What is wrong with single settings, each fault naming its own. */
  faults: string[]
  /** The names of those, which have their defaults too. */
  refused: string[]
}

const validate = new Ajv({
  validateSchema: false,
  // It runs once.
  code: { optimize: false },
  allErrors: true,
  useDefaults: true,
  keywords: ['explanation'],
  verbose: true
}).compile<Settings>(SettingsSchema)

export const settingNames = Object.keys(SettingsSchema.properties)

/** Takes the named settings from an environment, and holds each to its own schema. */
export function parseSettings(env: NodeJS.ProcessEnv, names: string[]): ParsedSettings {
  const faults = findMisspelt(env, settingNames)
  const refused: string[] = []
  const settings: Record<string, unknown> = {}
  for (const name of names) {
    const { value, fault } = readSetting(env, name)
    if (value !== undefined) settings[name] = toTyped(value, SettingsSchema.properties[name as keyof Settings])
    if (fault === undefined) continue
    faults.push(fault)
    refused.push(name)
  }
  const isGiven = new Set(Object.keys(settings))
  if (!validate(settings)) {
    for (const error of validate.errors ?? []) {
      const name = error.instancePath.slice(1)
      faults.push(explain(error))
      refused.push(name)
      Reflect.deleteProperty(settings, name)
    }
    // The rest is judged with defaults in the place of what was refused.
    validate(settings)
  }
  return { settings: settings as Settings, isGiven, faults, refused }
}

/** What is no number or no boolean stays text, which the schema refuses. */
function toTyped(value: string, { type }: TSchema): unknown {
  if (type === 'integer' && /^-?\d+$/.test(value)) return Number(value)
  if (type === 'boolean' && /^(true|false)$/.test(value)) return value === 'true'
  return value
}

function explain(error: ErrorObject): string {
  const name = error.instancePath.slice(1)
  const { explanation, type, minimum, maximum } = error.parentSchema as TSchema & { explanation?: string }
  if (error.keyword === 'enum') return `${name} must be one of ${(error.schema as string[]).join(', ')}`
  if (type === 'integer') return `${name} must be a whole number from ${String(minimum)} to ${String(maximum)}`
  if (type === 'boolean') return `${name} must be true or false`
  return `${name} ${explanation ?? error.message ?? 'is not valid'}`
}
