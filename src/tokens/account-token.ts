import { createHmac, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { RefreshKey } from './key-files.ts'
import type { Keyring } from './keyring.ts'

/** The tokens in mailed links. */
export interface AccountTokens {
  /** @param id of the row that says what the token is for. Of one row always the same token, until keys rotate */
  issue: (id: string) => string
  /** @returns the row's id, or undefined for what this service, with the keys it has, did not issue */
  read: (token: string) => string | undefined
}

// Key id, row id, MAC; base64url without padding.
const lengths = { kid: 4, id: 16, mac: 32 }
const length = lengths.kid + lengths.id + lengths.mac
const format = /^[A-Za-z0-9_-]{70}$/

/**
 * Tokens that the database cannot give away: it holds an id, and the MAC of it (HMAC-SHA-256) is made with a key that
 * is not there. That key is drawn from the one of refresh tokens (RFC 5869), so that neither token can be taken for the other.
 */
export function createAccountTokens(keyring: Keyring): AccountTokens {
  const derived = new WeakMap<KeyObject, Buffer>()

  function keyOf({ secret }: RefreshKey): Buffer {
    let key = derived.get(secret)
    if (key === undefined) {
      key = Buffer.from(hkdfSync('sha256', secret, '', 'gatehouse account tokens', 32))
      derived.set(secret, key)
    }
    return key
  }

  const mac = (key: RefreshKey, body: Buffer) => createHmac('sha256', keyOf(key)).update(body).digest()

  return {
    issue(id) {
      const key = keyring.current().refreshSigning
      const body = Buffer.from(key.kid + id.replaceAll('-', ''), 'hex')
      return Buffer.concat([body, mac(key, body)]).toString('base64url')
    },
    read(token) {
      if (!format.test(token)) return undefined
      const bytes = Buffer.from(token, 'base64url')
      // The last of 70 characters carries four bits that mean nothing: one spelling a token (RFC 4648 §3.5).
      if (bytes.toString('base64url') !== token) return undefined
      const body = bytes.subarray(0, length - lengths.mac)
      const key = keyring.current().refreshVerifying.get(body.toString('hex', 0, lengths.kid))
      if (key === undefined || !timingSafeEqual(mac(key, body), bytes.subarray(body.length))) return undefined
      return body.toString('hex', lengths.kid).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    }
  }
}
