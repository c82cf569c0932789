import { fullFormats } from 'ajv-formats/dist/formats.js'
import { InvalidInput } from './errors.ts'

/** 3 to 32 ASCII letters, digits and inner `.`, `_`, `-`: no two of them look alike but for case. */
const usernamePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{1,30})[A-Za-z0-9]$/

export const usernameRule =
  'must have 3 to 32 characters: Latin letters and digits, and between them also ".", "_" and "-"'

/**
 * The username as it is stored and shown: NFKC, so that full-width and other compatibility forms are one name.
 * @returns undefined for text that is not a username
 */
export function normalizeUsername(typed: string): string | undefined {
  const username = typed.normalize('NFKC')
  return usernamePattern.test(username) ? username : undefined
}

/** @throws {InvalidInput} for text that is not a username */
export function readUsername(typed: string): string {
  const username = normalizeUsername(typed)
  if (username === undefined) throw new InvalidInput({ field: 'username', message: usernameRule })
  return username
}

/** The addresses that the API takes: as JSON Schema's `email`, and no longer than SMTP allows (RFC 5321 §4.5.3.1.3). */
export const isEmail = (text: string): boolean => text.length <= 254 && emailPattern.test(text)

const emailPattern = fullFormats.email as RegExp

/** @throws {InvalidInput} for text that is not an e-mail address */
export function readEmail(typed: string): string {
  if (!isEmail(typed)) throw new InvalidInput({ field: 'email', message: 'must be a valid email' })
  return typed
}

/** What a login names, as it is looked up: the username or, where there is an `@` or no username, the e-mail address. */
export function readLogin(login: string): { usernameKey: string } | { emailKey: string } {
  const username = login.includes('@') ? undefined : normalizeUsername(login)
  return username === undefined ? { emailKey: toKey(login) } : { usernameKey: toKey(username) }
}

/** What must be unique, of a username in its normal form as of an e-mail address: both are ASCII. */
export const toKey = (name: string): string => name.toLowerCase()
