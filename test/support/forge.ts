import { createHmac, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Service } from './service.ts'

/** A JSON object, or the text that stands in its place. */
export type Part = Record<string, unknown> | string

/** Makes a signature of `header.payload`; a text is taken as the signature itself. */
export type Signature = ((input: string) => Buffer) | string

/** The parts of a token, to be changed and put together again. */
export interface Parts {
  header: Record<string, unknown>
  payload: Record<string, unknown>
  signature: string
}

export function partsOf(token: string): Parts {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const decode = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>
  return { header: decode(header), payload: decode(payload), signature }
}

/** A token of any header and payload, well-formed or not. */
export function forge(header: Part, payload: Part, signature: Signature): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${typeof signature === 'string' ? signature : signature(input).toString('base64url')}`
}

const encode = (part: Part) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part), 'utf8').toString('base64url')

/** What ES256 makes: r and s, 64 bytes (RFC 7518 §3.4). */
export const es256 =
  (key: KeyObject): Signature =>
  (input) =>
    sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })

/** The same signature as OpenSSL and X.509 write it. */
export const es256Der =
  (key: KeyObject): Signature =>
  (input) =>
    sign('sha256', Buffer.from(input), { key, dsaEncoding: 'der' })

export const hmac =
  (bits: 256 | 384 | 512, secret: string | Buffer): Signature =>
  (input) =>
    createHmac(`sha${String(bits)}`, secret)
      .update(input)
      .digest()

/** The service's own key, from the folder where its operator keeps it. */
export function signingKeyOf(service: Pick<Service, 'env'>): { kid: string; key: KeyObject } {
  const dir = service.env.KEYS_DIR ?? ''
  const name = readdirSync(dir).find((file) => file.endsWith('.pem')) ?? ''
  return { kid: name.slice(0, -'.pem'.length), key: createPrivateKey(readFileSync(join(dir, name))) }
}

/** Pseudo-random numbers, the same in every run: a failure can be run again. (mulberry32) */
export function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
