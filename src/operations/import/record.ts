import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { type FirebaseParameters, toFirebaseHash } from '../../passwords/firebase.ts'
import { isText } from '../../passwords/policy.ts'
import { faultOfHash } from '../../passwords/schemes/index.ts'
import type { Argon2Cost } from '../../passwords/schemes/scheme.ts'
import { isEmail, normalizeUsername, usernameRule } from '../../names.ts'
import { toClaim, toColumn, mapRoles } from '../../roles.ts'
import { newUserRow } from '../../users/creation.ts'
import type { ImportedUser } from '../../repositories/user-import.ts'

// New users are numbered after the highest id, and PostgreSQL's integers end at 2,147,483,647.
const highestId = 2_000_000_000

export const isId = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= highestId

const Name = () =>
  Type.String({
    maxLength: 100,
    format: 'name',
    explanation: 'must have at most 100 characters, in UTF-8, none of control'
  })
const Instant = () =>
  Type.String({
    format: 'instant',
    explanation: 'must be a moment that has passed, with its zone: 2024-05-01T10:00:00Z'
  })
const Flag = () => Type.Boolean({ explanation: 'must be true or false' })

/** What may be known of a user elsewhere. Null, or an empty cell of CSV, counts as absent. */
export const ImportRecord = Type.Object(
  {
    id: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: highestId,
        explanation: `must be a whole number from 1 to ${String(highestId)}`
      })
    ),
    username: Type.String({ format: 'username', explanation: usernameRule }),
    email: Type.String({ format: 'email', explanation: 'must be a valid email' }),
    first_name: Type.Optional(Name()),
    second_name: Type.Optional(Name()),
    /** The hash; the tutorial's column is called so. */
    password: Type.Optional(Type.String()),
    password_hash: Type.Optional(Type.String()),
    /** Beside a hash of Firebase's. */
    salt: Type.Optional(Type.String()),
    ...mapRoles(toClaim, () => Type.Optional(Flag())),
    is_disabled: Type.Optional(Flag()),
    email_verified: Type.Optional(Flag()),
    created_at: Type.Optional(Instant()),
    updated_at: Type.Optional(Instant())
  },
  { additionalProperties: false }
)

type ImportRecord = Static<typeof ImportRecord>

export const fieldNames = Object.keys(ImportRecord.properties)

const flags = fieldNames.filter(
  (name) => (ImportRecord.properties as Record<string, TSchema>)[name]?.type === 'boolean'
)

const validate = new Ajv({
  allErrors: true,
  verbose: true,
  keywords: ['explanation'],
  formats: {
    username: (text: string) => normalizeUsername(text) !== undefined,
    email: isEmail,
    // What was not UTF-8 has become this mark.
    name: (text: string) => isText(text) && !text.includes('\uFFFD'),
    instant: (text: string) => toInstant(text) !== undefined
  }
}).compile<ImportRecord>(ImportRecord)

export interface ReadingOptions {
  /** The cost that hashes have here: no hash of that cost is too much. */
  policy: Argon2Cost
  firebase?: FirebaseParameters | undefined
}

/** Reads a user from the fields of a line. @returns the user, or every fault in words, none of which repeats a hash */
export function readUser(fields: Record<string, unknown>, options: ReadingOptions): ImportedUser | string[] {
  const record = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
  if (!validate(record)) return (validate.errors ?? []).map(explain)
  const hash = readHash(record, options)
  if (typeof hash === 'object') return [hash.fault]
  return {
    id: record.id,
    ...newUserRow({
      username: record.username,
      email: record.email,
      emailVerified: record.email_verified,
      firstName: record.first_name,
      secondName: record.second_name,
      passwordHash: hash,
      ...mapRoles(toColumn, (role) => record[toClaim(role)]),
      isDisabled: record.is_disabled
    }),
    createdAt: toInstant(record.created_at),
    updatedAt: toInstant(record.updated_at)
  }
}

/** The text of a CSV cell as JSON would have it: PostgreSQL writes `t` and `f`. */
export function fromCsv(cells: Record<string, unknown>): Record<string, unknown> {
  const words: Record<string, boolean> = { t: true, true: true, '1': true, f: false, false: false, '0': false }
  const typed = Object.entries(cells).map(([name, cell]) => {
    const text = String(cell)
    if (text === '') return [name, null]
    if (flags.includes(name)) return [name, words[text.toLowerCase()] ?? text]
    return [name, name === 'id' && /^\d{1,16}$/.test(text) ? Number(text) : text]
  })
  return Object.fromEntries(typed) as Record<string, unknown>
}

/** @returns the hash; undefined where there is none; or why it is of no use */
function readHash(
  { password, password_hash, salt }: ImportRecord,
  { policy, firebase }: ReadingOptions
): string | undefined | { fault: string } {
  const stored = password ?? password_hash
  // Django writes so that nobody knows the password.
  if (stored === undefined || stored === '' || stored.startsWith('!')) return undefined
  const hash = salt === undefined ? stored : firebase && toFirebaseHash(firebase, salt, stored)
  if (hash === undefined) return { fault: firebase ? 'salt and password must be Base64' : saltRule }
  const fault = faultOfHash(hash, policy)
  return fault === undefined ? hash : { fault: `password ${fault}` }
}

const saltRule = "salt is for Firebase's hashes, whose parameters --firebase FILE names"

/** RFC 3339, or as PostgreSQL writes it: with a blank, and whole hours of the zone. @returns undefined for anything else */
function toInstant(text: string | undefined): Date | undefined {
  const standard = text?.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00') ?? ''
  if (!isDateTime(standard)) return undefined
  const instant = new Date(standard)
  return instant.getTime() >= 0 && instant.getTime() <= Date.now() ? instant : undefined
}

const isDateTime = (fullFormats['date-time'] as { validate: (text: string) => boolean }).validate

function explain(error: ErrorObject): string {
  const name = error.instancePath.slice(1)
  if (error.keyword === 'additionalProperties') {
    return `${JSON.stringify(error.params.additionalProperty).slice(0, 60)} is no field of a user: ${fieldNames.join(', ')} are`
  }
  if (error.keyword === 'required') return `${String(error.params.missingProperty)} is missing`
  const { explanation } = error.parentSchema as TSchema & { explanation?: string }
  return `${name} ${explanation ?? error.message ?? 'is not valid'}`
}
