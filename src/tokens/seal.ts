import { createHmac, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { RefreshKey } from '../keys/key-files.ts'
import type { Keyring } from '../keys/keyring.ts'

/** Text that only this service can have written. */
export interface Seal {
  /** @param context what the text holds for, without being in it; of a fixed length for each purpose */
  seal: (body: Buffer, context?: Buffer) => string
  /** @returns the body, or undefined for what this service, with the keys it has, did not seal for that context */
  open: (sealed: string, context?: Buffer) => Buffer | undefined
}

// Key id, body, MAC; base64url without padding.
const lengths = { kid: 4, mac: 32 }

/**
 * Authenticates by HMAC-SHA-256 under a key that is not in the database. It is drawn from the one of refresh tokens
 * (RFC 5869), for each purpose another, so that nothing of one can be taken for something of another.
 * @param purpose undefined for refresh tokens, whose MAC is made with the key itself
 * @param length bytes of a body
 */
export function createSeal(keyring: Keyring, purpose: string | undefined, length: number): Seal {
  const derived = new WeakMap<KeyObject, Buffer>()
  const size = lengths.kid + length + lengths.mac
  const format = new RegExp(`^[A-Za-z0-9_-]{${String(Math.ceil((size * 4) / 3))}}$`)

  function keyFor({ secret }: RefreshKey): Buffer | KeyObject {
    if (purpose === undefined) return secret
    let key = derived.get(secret)
    if (key === undefined) {
      key = Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
      derived.set(secret, key)
    }
    return key
  }

  const mac = (key: RefreshKey, text: Buffer, context: Buffer) =>
    createHmac('sha256', keyFor(key)).update(text).update(context).digest()

  return {
    seal(body, context = nothing) {
      const key = keyring.current().refreshSigning
      const text = Buffer.concat([Buffer.from(key.kid, 'hex'), body])
      return Buffer.concat([text, mac(key, text, context)]).toString('base64url')
    },
    open(sealed, context = nothing) {
      if (!format.test(sealed)) return undefined
      const bytes = Buffer.from(sealed, 'base64url')
      // The last character may carry bits that mean nothing: one spelling a text (RFC 4648 §3.5).
      if (bytes.toString('base64url') !== sealed) return undefined
      const text = bytes.subarray(0, size - lengths.mac)
      const key = keyring.current().refreshVerifying.get(text.toString('hex', 0, lengths.kid))
      if (key === undefined || !timingSafeEqual(mac(key, text, context), bytes.subarray(text.length))) return undefined
      return text.subarray(lengths.kid)
    }
  }
}

const nothing = Buffer.alloc(0)
