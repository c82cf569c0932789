import { timingSafeEqual } from 'node:crypto'

/** Cost of an argon2 hash: memory in KiB, passes, lanes (RFC 9106). */
export interface Argon2Cost {
  memoryCost: number
  timeCost: number
  parallelism: number
}

/** A hash that could be read. Nothing is computed before `matches` is called. */
export interface StoredHash {
  /** The scheme and its parameters: hashes of one kind take the same time. */
  kind: string
  /** What of it costs more than anybody may ask of this service, in words; undefined where it is within bounds. */
  excess: (policy: Argon2Cost) => string | undefined
  /** Whether the password is its own. Takes as long as the hash's parameters say: for threads of their own. */
  matches: (password: string) => boolean
}

/** A way to store passwords. @returns undefined where the hash is not of this way, or malformed */
export type Scheme = (hash: string) => StoredHash | undefined

// Bytes. A shorter digest is met by passwords that are not the user's; a longer one only costs more.
const minDigestLength = 16
const maxDigestLength = 64

export const isDigest = (digest: Buffer): boolean =>
  digest.length >= minDigestLength && digest.length <= maxDigestLength

/** Compares in the same time wherever they differ. */
export const isSame = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)

/** Base64 in any of its alphabets: the standard's, that of URLs, and passlib's with a dot. */
export const base64 = (text: string): Buffer => Buffer.from(text.replaceAll('.', '+'), 'base64')

/** In words, if one of the numbers is more than its bound. */
export function beyond(...bounds: [what: string, value: number, most: number][]): string | undefined {
  const broken = bounds.find(([, value, most]) => value > most)
  if (broken === undefined) return undefined
  const [what, value, most] = broken
  return `${what} ${String(value)}, where at most ${String(most)} is verified`
}
