import { argon2 } from './argon2.ts'
import { bcrypt } from './bcrypt.ts'
import { pbkdf2 } from './pbkdf2.ts'
import type { Argon2Cost, Scheme, StoredHash } from './scheme.ts'
import { firebaseScrypt, scrypt } from './scrypt.ts'

const schemes: Scheme[] = [argon2, bcrypt, pbkdf2, scrypt, firebaseScrypt]

// Characters: with the longest salt and signer key that anybody has, no hash comes near it.
const maxHashLength = 1024

function read(hash: string): StoredHash | undefined {
  if (hash.length > maxHashLength) return undefined
  for (const scheme of schemes) {
    const stored = scheme(hash)
    if (stored !== undefined) return stored
  }
  return undefined
}

/** What decides how long a hash takes: the scheme and its parameters. @returns undefined where it cannot be read */
export const kindOfHash = (hash: string): string | undefined => read(hash)?.kind

/** Why a hash is of no use here, in words that do not repeat it; undefined where it can be verified. */
export function faultOfHash(hash: string, policy: Argon2Cost): string | undefined {
  const stored = read(hash)
  if (stored === undefined) return 'is no hash of a kind that is known here: docs/import.md lists those that are'
  const excess = stored.excess(policy)
  return excess && `would cost too much to verify: ${excess}`
}

/** Whether the hash is that of one of the passwords; null where it is unknown, or would cost more than is allowed. */
export function verifyHash(hash: string, passwords: string[], policy: Argon2Cost): boolean | null {
  const stored = read(hash)
  if (stored === undefined || stored.excess(policy) !== undefined) return null
  return passwords.some((password) => stored.matches(password))
}
