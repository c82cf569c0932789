import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { calculateJwkThumbprint, type JWK } from 'jose'

export type Algorithm = 'ES256' | 'RS256' | 'EdDSA'

/** A key pair of the ring. PEMs are exported anew from the parsed key, never passed on as they were read. */
export interface SigningKey {
  /** RFC 7638 thumbprint. */
  kid: string
  algorithm: Algorithm
  privatePem: string
  publicPem: string
  /** Public members only. */
  jwk: JWK
  createdAt: Date
}

/** The key that signs, and every key whose tokens are accepted. */
export interface Keyring {
  active: SigningKey
  find: (kid: unknown) => SigningKey | undefined
  /** RFC 7517 §5. */
  jwks: { keys: JWK[] }
}

export type KeySource = { dir: string } | { privateKeyFile: string; publicKeyFile: string }

/** A key that cannot be used, with the file and what to do. */
export class KeyError extends Error {}

/** @throws {KeyError} where there is no key, or one that is too weak, of an unknown kind or not a pair */
export async function loadKeyring(source: KeySource): Promise<Keyring> {
  const keys = 'dir' in source ? await readKeys(source.dir) : [await readPair(source)]
  const active = keys[0]
  if (active === undefined) {
    const { dir } = source as { dir: string }
    throw new KeyError(`There is no key in ${dir}: make one with "gatehouse keys generate"`)
  }
  const byKid = new Map(keys.map((key) => [key.kid, key]))
  return {
    active,
    find: (kid) => (typeof kid === 'string' ? byKid.get(kid) : undefined),
    jwks: { keys: keys.map((key) => key.jwk) }
  }
}

/** The keys of a folder, newest first. */
export async function readKeys(dir: string): Promise<SigningKey[]> {
  const files = readFolder(dir).filter((name) => name.endsWith('.pem'))
  const keys = await Promise.all(
    files.map((name) => toSigningKey(readPem(join(dir, name)), join(dir, name), statSync(join(dir, name)).mtime))
  )
  return keys.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || a.kid.localeCompare(b.kid))
}

/** Makes an ES256 key in `dir`, readable by its owner alone. */
export async function generateKey(dir: string): Promise<SigningKey> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = await toSigningKey(privateKey, 'a new key', new Date())
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const partial = join(dir, `.${key.kid}.partial`)
  writeFileSync(partial, key.privatePem, { mode: 0o600, flag: 'wx' })
  // A link appears whole or not at all, so that nobody reads half a key.
  linkSync(partial, join(dir, `${key.kid}.pem`))
  rmSync(partial)
  return key
}

async function readPair(files: { privateKeyFile: string; publicKeyFile: string }): Promise<SigningKey> {
  const key = await toSigningKey(
    readPem(files.privateKeyFile),
    files.privateKeyFile,
    statSync(files.privateKeyFile).mtime
  )
  const published = parse(files.publicKeyFile, createPublicKey).export({ type: 'spki', format: 'pem' })
  if (published !== key.publicPem) {
    throw new KeyError(`JWT_PUBLIC_KEY ${files.publicKeyFile} is not the public half of ${files.privateKeyFile}`)
  }
  return key
}

const readPem = (file: string): KeyObject => parse(file, createPrivateKey)

function parse(file: string, parser: (pem: string) => KeyObject): KeyObject {
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
  } catch (error) {
    throw new KeyError(`Cannot read the key ${file}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`)
  }
  try {
    return parser(pem)
  } catch {
    throw new KeyError(`${file} is not a key in PEM without a passphrase`)
  }
}

function readFolder(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new KeyError(
      `Cannot read the folder of keys ${dir}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`
    )
  }
}

async function toSigningKey(privateKey: KeyObject, name: string, createdAt: Date): Promise<SigningKey> {
  const publicKey = createPublicKey(privateKey)
  const algorithm = algorithmOf(publicKey, name)
  const members = publicKey.export({ format: 'jwk' }) as JWK
  const kid = await calculateJwkThumbprint(members)
  return {
    kid,
    algorithm,
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    jwk: { ...members, kid, alg: algorithm, use: 'sig' },
    createdAt
  }
}

/** One algorithm a key, decided by the key (RFC 8725 §3.1). */
function algorithmOf(key: KeyObject, name: string): Algorithm {
  const details = key.asymmetricKeyDetails
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') return 'ES256'
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA'
  if (key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= 2048) return 'RS256'
  throw new KeyError(`${name} cannot sign tokens: use an EC P-256, an Ed25519 or an RSA key of at least 2048 bits`)
}
