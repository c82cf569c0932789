import { pbkdf2Sync } from 'node:crypto'
import { base64, beyond, isDigest, isSame, type Scheme, type StoredHash } from './scheme.ts'

type Algorithm = 'sha1' | 'sha256' | 'sha512'

// Bytes of a block, and how many iterations take about a second of a core.
const blocks = { sha1: 20, sha256: 32, sha512: 64 }
const maxIterations = { sha1: 3_000_000, sha256: 3_000_000, sha512: 1_000_000 }

const django = /^pbkdf2_(sha1|sha256)\$(\d{1,10})\$([^$]+)\$([A-Za-z0-9+/]+=*)$/
const werkzeug = /^pbkdf2:(sha1|sha256|sha512):(\d{1,10})\$([^$]+)\$([0-9a-f]+)$/
const passlib = /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,10})\$([A-Za-z0-9+/.]*)\$([A-Za-z0-9+/.]+)$/

/** As Django, Werkzeug (Flask) and passlib write them; the last without a name is SHA-1. */
export const pbkdf2: Scheme = (hash) => {
  const asDjango = django.exec(hash)
  if (asDjango !== null) return read(asDjango, utf8, base64)
  const asWerkzeug = werkzeug.exec(hash)
  if (asWerkzeug !== null) return read(asWerkzeug, utf8, (text) => Buffer.from(text, 'hex'))
  const asPasslib = passlib.exec(hash)
  return asPasslib === null ? undefined : read(asPasslib, base64, base64)
}

function read(
  [, name = 'sha1', count = '', saltText = '', digestText = '']: RegExpExecArray,
  saltOf: (text: string) => Buffer,
  digestOf: (text: string) => Buffer
): StoredHash | undefined {
  const algorithm = name as Algorithm
  const iterations = Number(count)
  const digest = digestOf(digestText)
  if (iterations === 0 || !isDigest(digest)) return undefined
  const work = iterations * Math.ceil(digest.length / blocks[algorithm])
  return {
    kind: `pbkdf2 ${algorithm} ${String(work)}`,
    excess: () => beyond([`PBKDF2-${algorithm.toUpperCase()} iterations`, work, maxIterations[algorithm]]),
    matches: (password) => isSame(pbkdf2Sync(password, saltOf(saltText), iterations, digest.length, algorithm), digest)
  }
}

const utf8 = (text: string) => Buffer.from(text)
