import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes
} from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Algorithm = 'ES256' | 'RS256' | 'EdDSA'

/** RFC 7517 §4: public members only. */
export type PublicJwk = JsonWebKey & { kid: string; alg: Algorithm; use: 'sig' }

/** A pair that signs access tokens. PEMs are exported anew from the parsed key, never passed on as they were read. */
export interface SigningKey {
  /** RFC 7638 thumbprint. */
  kid: string
  algorithm: Algorithm
  privatePem: string
  publicPem: string
  jwk: PublicJwk
  createdAt: Date
}

/** A secret that authenticates refresh tokens. */
export interface RefreshKey {
  /** Four bytes in hexadecimal. */
  kid: string
  secret: KeyObject
  createdAt: Date
}

export interface KeyFiles {
  signing: SigningKey[]
  refresh: RefreshKey[]
}

export type KeySource = { dir: string } | { privateKeyFile: string; publicKeyFile: string }

/** A key that cannot be used, with the file and what to do. */
export class KeyError extends Error {}

const signingSuffix = '.pem'
const refreshSuffix = '.refresh-key'

/** Whether a file of that name in a folder of keys is taken for a key. */
export const isKeyFile = (name: string): boolean =>
  !name.startsWith('.') && (name.endsWith(signingSuffix) || name.endsWith(refreshSuffix))

/**
 * All keys of a source, oldest first.
 * @throws {KeyError} where one is unreadable, too weak, of an unknown kind or not a pair
 */
export function readKeys(source: KeySource): KeyFiles {
  if (!('dir' in source)) return readPair(source)
  const names = readFolder(source.dir)
  const of = (suffix: string) => names.filter((name) => name.endsWith(suffix)).map((name) => join(source.dir, name))
  return {
    signing: of(signingSuffix).map(readSigningKey).sort(byAge),
    refresh: of(refreshSuffix).map(readRefreshKey).sort(byAge)
  }
}

/** A fingerprint of the files: another one means that they have changed. */
export function fingerprint(source: KeySource): string {
  const files = 'dir' in source ? readFolder(source.dir).map((name) => join(source.dir, name)) : Object.values(source)
  return files.map((file) => `${file}:${String(statSync(file, { throwIfNoEntry: false })?.mtimeMs)}`).join('\n')
}

/** Makes an ES256 key in `dir`, readable by its owner alone. Its id begins with no `-`, which command lines take for an option. */
export function generateSigningKey(dir: string): SigningKey {
  let key: SigningKey
  do {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    key = toSigningKey(privateKey, 'a new key', new Date())
  } while (key.kid.startsWith('-'))
  writeWhole(dir, `${key.kid}${signingSuffix}`, created(key.createdAt) + key.privatePem)
  return key
}

/** Makes a key for refresh tokens in `dir`, readable by its owner alone. */
export function generateRefreshKey(dir: string): RefreshKey {
  const bytes = randomBytes(32)
  const key = { kid: refreshKid(bytes), secret: createSecretKey(bytes), createdAt: new Date() }
  writeWhole(dir, `${key.kid}${refreshSuffix}`, `${created(key.createdAt)}${bytes.toString('base64')}\n`)
  return key
}

/** Makes the first key of each kind where there is none. @returns the ids of those it made */
export function generateMissingKeys(dir: string): string[] {
  const { signing, refresh } = readKeys({ dir })
  return [
    ...(signing.length === 0 ? [generateSigningKey(dir).kid] : []),
    ...(refresh.length === 0 ? [generateRefreshKey(dir).kid] : [])
  ]
}

/** Takes a key's file away. @returns whether there was one */
export function removeKey(dir: string, kid: string): boolean {
  const name = readFolder(dir).find((file) => file === kid + signingSuffix || file === kid + refreshSuffix)
  if (name === undefined) return false
  rmSync(join(dir, name))
  return true
}

/** The tutorial's way: one pair. The secret of refresh tokens is drawn from it (RFC 5869), as there is no folder for another. */
function readPair({ privateKeyFile, publicKeyFile }: { privateKeyFile: string; publicKeyFile: string }): KeyFiles {
  const key = readSigningKey(privateKeyFile)
  const published = parse(publicKeyFile, read(publicKeyFile), createPublicKey).export({ type: 'spki', format: 'pem' })
  if (published !== key.publicPem) {
    throw new KeyError(`JWT_PUBLIC_KEY ${publicKeyFile} is not the public half of ${privateKeyFile}`)
  }
  const bytes = Buffer.from(hkdfSync('sha256', key.privatePem, '', 'gatehouse refresh tokens', 32))
  const refreshKey = { kid: refreshKid(bytes), secret: createSecretKey(bytes), createdAt: key.createdAt }
  return { signing: [key], refresh: [refreshKey] }
}

function readSigningKey(file: string): SigningKey {
  const text = read(file)
  return toSigningKey(parse(file, text, createPrivateKey), file, createdAt(text, file))
}

function readRefreshKey(file: string): RefreshKey {
  const text = read(file)
  const bytes = Buffer.from(text.trim().split('\n').at(-1) ?? '', 'base64')
  if (bytes.length < 32)
    throw new KeyError(`${file} is not a key for refresh tokens: make one with "gatehouse keys rotate --kind refresh"`)
  return { kid: refreshKid(bytes), secret: createSecretKey(bytes), createdAt: createdAt(text, file) }
}

/** Says nothing of the secret, and tells it from others. */
const refreshKid = (secret: Buffer) => createHmac('sha256', secret).update('key id').digest('hex').slice(0, 8)

/** OpenSSL ignores what stands before a PEM block, so that the age of a key survives copying its file. */
const created = (date: Date) => `Created: ${date.toISOString()}\n`

function createdAt(text: string, file: string): Date {
  const date = new Date(/^Created: (\S+)$/m.exec(text)?.[1] ?? NaN)
  return Number.isNaN(date.getTime()) ? statSync(file).mtime : date
}

const byAge = (a: { kid: string; createdAt: Date }, b: { kid: string; createdAt: Date }) =>
  a.createdAt.getTime() - b.createdAt.getTime() || a.kid.localeCompare(b.kid)

/** A link appears whole or not at all, so that nobody reads half a key. */
function writeWhole(dir: string, name: string, text: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const partial = join(dir, `.${name}.partial`)
  writeFileSync(partial, text, { mode: 0o600, flag: 'wx' })
  linkSync(partial, join(dir, name))
  rmSync(partial)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new KeyError(`Cannot read the key ${file}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`)
  }
}

function parse(file: string, pem: string, parser: (pem: string) => KeyObject): KeyObject {
  try {
    return parser(pem)
  } catch {
    throw new KeyError(`${file} is not a key in PEM without a passphrase`)
  }
}

function readFolder(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => !name.startsWith('.'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new KeyError(
      `Cannot read the folder of keys ${dir}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`
    )
  }
}

function toSigningKey(privateKey: KeyObject, name: string, createdAt: Date): SigningKey {
  const publicKey = createPublicKey(privateKey)
  const algorithm = readAlgorithm(publicKey, name)
  const members = publicKey.export({ format: 'jwk' })
  const kid = thumbprint(members)
  return {
    kid,
    algorithm,
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    jwk: { ...members, kid, alg: algorithm, use: 'sig' },
    createdAt
  }
}

/** RFC 7638 §3: of the members that make the key, which are those that Node exports, in the order of their names. */
function thumbprint(members: JsonWebKey): string {
  const ordered = JSON.stringify(members, Object.keys(members).sort())
  return createHash('sha256').update(ordered).digest('base64url')
}

/** One algorithm a key, decided by the key (RFC 8725 §3.1). */
function readAlgorithm(key: KeyObject, name: string): Algorithm {
  const details = key.asymmetricKeyDetails
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') return 'ES256'
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA'
  if (key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= 2048) return 'RS256'
  throw new KeyError(`${name} cannot sign tokens: use an EC P-256, an Ed25519 or an RSA key of at least 2048 bits`)
}
