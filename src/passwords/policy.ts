import { type FieldFault, InvalidInput } from '../errors.ts'
import type { IsPwned } from './pwned.ts'

/** Code points. Longer passwords are refused before any hashing. */
export const maxPasswordLength = 128

/** What can be typed: no lone surrogates, no NUL and no other control characters. */
export const isText = (value: string): boolean => value.isWellFormed() && !/\p{Cc}/u.test(value)

const serviceName = 'gatehouse'

/** What is asked of passwords. */
export interface PasswordPolicy {
  minLength: number
  /** Asked of those that pass all else. */
  isPwned?: IsPwned | undefined
}

/** What is refused of a password for its meaning: who it is for, and what others know. */
const weaknesses = {
  username: 'must not contain the username',
  email: 'must not contain the name in the e-mail address',
  service: 'must not be the name of this service',
  common: 'is too common: choose one that is harder to guess',
  breached: 'is known from a data breach: choose one that is harder to guess'
}

/** The same as faults of a field. */
export const listWeaknesses = (field: string): FieldFault[] =>
  Object.values(weaknesses).map((message) => ({ field, message }))

/** Who the password is for: what it must not hold. */
export interface PasswordOwner {
  username: string
  email: string
}

/**
 * NIST SP 800-63B-4 §3.1.1.2: a length, a list of common passwords and words of the context; no composition rules.
 * @throws {InvalidInput} with what to change
 */
export async function checkPassword(
  password: string,
  owner: PasswordOwner,
  policy: PasswordPolicy,
  field = 'password'
): Promise<void> {
  const message = await weakness(password.normalize('NFC'), owner, policy)
  if (message !== undefined) throw new InvalidInput({ field, message })
}

async function weakness(
  password: string,
  owner: PasswordOwner,
  { minLength, isPwned }: PasswordPolicy
): Promise<string | undefined> {
  const folded = password.toLowerCase()
  const length = Array.from(password).length
  if (length < minLength) return `must have at least ${String(minLength)} characters`
  if (length > maxPasswordLength) return `must have at most ${String(maxPasswordLength)} characters`
  if (!isText(password)) return 'must be well-formed Unicode without control characters'
  if (folded.includes(owner.username.toLowerCase())) return weaknesses.username
  const emailName = owner.email.slice(0, owner.email.lastIndexOf('@')).toLowerCase()
  if (emailName.length >= 3 && folded.includes(emailName)) return weaknesses.email
  if (folded.replaceAll(/[^\p{L}]/gu, '') === serviceName) return weaknesses.service
  if ((await commonPasswords()).has(folded)) return weaknesses.common
  if ((await isPwned?.(password)) === true) return weaknesses.breached
  return undefined
}

let common: Promise<Set<string>> | undefined

/** Loaded at the first use: the list is large, and a service that only checks tokens never needs it. */
function commonPasswords(): Promise<Set<string>> {
  common ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common'].map(String))
  )
  return common
}
