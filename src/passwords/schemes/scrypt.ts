import { createCipheriv, scryptSync } from 'node:crypto'
import { base64, beyond, isDigest, isSame, type Scheme, type StoredHash } from './scheme.ts'

/** RFC 7914: N, r and p. */
interface Cost {
  N: number
  r: number
  p: number
}

// Of N times r, 128 bytes each: 128 MiB. Of N times r times p: about a second of a core.
const maxMemory = 2 ** 20
const maxWork = 2 ** 21

const django = /^scrypt\$(\d{1,10})\$([^$]+)\$(\d{1,10})\$(\d{1,10})\$([A-Za-z0-9+/]+=*)$/
const werkzeug = /^scrypt:(\d{1,10}):(\d{1,10}):(\d{1,10})\$([^$]+)\$([0-9a-f]+)$/
const passlib = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,10}),p=(\d{1,10})\$([A-Za-z0-9+/]*)\$([A-Za-z0-9+/]+)$/
const firebase =
  /^\$fbscrypt\$v=1,n=(\d{1,2}),r=(\d{1,10}),p=(\d{1,10}),ss=([\w+/-]*=*),sk=([\w+/-]+=*)\$([\w+/-]*=*)\$([\w+/-]+=*)$/

/** As Django, Werkzeug (Flask) and passlib write them. */
export const scrypt: Scheme = (hash) => {
  const [, djangoN, djangoSalt = '', djangoR, djangoP, djangoDigest = ''] = django.exec(hash) ?? []
  if (djangoN !== undefined) {
    return derived(parseCost(Number(djangoN), djangoR, djangoP), Buffer.from(djangoSalt), base64(djangoDigest))
  }
  const [, N, r, p, salt = '', digest = ''] = werkzeug.exec(hash) ?? []
  if (N !== undefined) return derived(parseCost(Number(N), r, p), Buffer.from(salt), Buffer.from(digest, 'hex'))
  const [, exponent, passlibR, passlibP, passlibSalt = '', passlibDigest = ''] = passlib.exec(hash) ?? []
  if (exponent === undefined) return undefined
  return derived(parseCost(2 ** Number(exponent), passlibR, passlibP), base64(passlibSalt), base64(passlibDigest))
}

/**
 * Firebase's: scrypt makes a key, and the project's signer key, encrypted with it, is the hash
 * (github.com/firebase/scrypt). Written as Supabase writes it, with all that it takes in one line.
 */
export const firebaseScrypt: Scheme = (hash) => {
  const [, exponent, r, p, separator = '', signerKey = '', salt = '', digest = ''] = firebase.exec(hash) ?? []
  const cost = exponent === undefined ? undefined : parseCost(2 ** Number(exponent), r, p)
  const expected = base64(digest)
  if (cost === undefined || !isDigest(expected)) return undefined
  return {
    kind: toKind(cost),
    excess: () => findExcess(cost),
    matches(password) {
      const key = derive(password, Buffer.concat([base64(salt), base64(separator)]), 32, cost)
      const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
      return isSame(Buffer.concat([cipher.update(base64(signerKey)), cipher.final()]), expected)
    }
  }
}

function derived(cost: Cost | undefined, salt: Buffer, digest: Buffer): StoredHash | undefined {
  if (cost === undefined || !isDigest(digest)) return undefined
  return {
    kind: toKind(cost),
    excess: () => findExcess(cost),
    matches: (password) => isSame(derive(password, salt, digest.length, cost), digest)
  }
}

/** @returns undefined for what no scrypt takes */
function parseCost(N: number, r: string | undefined, p: string | undefined): Cost | undefined {
  const cost = { N, r: Number(r), p: Number(p) }
  return N > 1 && Number.isInteger(Math.log2(N)) && cost.r > 0 && cost.p > 0 ? cost : undefined
}

const toKind = ({ N, r, p }: Cost) => ['scrypt', N, r, p].join(' ')

const findExcess = ({ N, r, p }: Cost) =>
  beyond(['scrypt N times r', N * r, maxMemory], ['scrypt N times r times p', N * r * p, maxWork])

const derive = (password: string, salt: Buffer, length: number, cost: Cost) =>
  scryptSync(password, salt, length, { ...cost, maxmem: 256 * maxMemory })
