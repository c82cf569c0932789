import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Keyring } from '../keys/keyring.ts'
import type { RefreshKey } from '../keys/key-files.ts'
import type { RefreshClaims } from '../repositories/session-rotation.ts'

export interface RefreshTokens {
  /** Of one session and counter always the same token, so that a lost answer can be given again. */
  issue: (claims: RefreshClaims) => string
  /** @returns undefined for what this service, with the keys it has, did not issue */
  read: (token: string) => RefreshClaims | undefined
}

// Key id, session, counter, MAC; base64url without padding.
const lengths = { kid: 4, session: 16, counter: 4, mac: 32 }
const length = lengths.kid + lengths.session + lengths.counter + lengths.mac
const format = /^[A-Za-z0-9_-]{75}$/

/**
 * Refresh tokens that the database cannot give away: it holds session and counter, and their MAC (HMAC-SHA-256)
 * is made with a key that is not in it. After supabase/auth, `internal/tokens/service.go`.
 */
export function createRefreshTokens(keyring: Keyring): RefreshTokens {
  return {
    issue({ sessionId, counter }) {
      const key = keyring.current().refreshSigning
      const body = Buffer.alloc(length - lengths.mac)
      body.write(key.kid, 0, 'hex')
      body.write(sessionId.replaceAll('-', ''), lengths.kid, 'hex')
      body.writeUInt32BE(counter, lengths.kid + lengths.session)
      return Buffer.concat([body, mac(key, body)]).toString('base64url')
    },
    read(token) {
      if (!format.test(token)) return undefined
      const bytes = Buffer.from(token, 'base64url')
      // The last of 75 characters carries two bits that mean nothing: one spelling a token (RFC 4648 §3.5).
      if (bytes.length !== length || bytes.toString('base64url') !== token) return undefined
      const key = keyring.current().refreshVerifying.get(bytes.toString('hex', 0, lengths.kid))
      const body = bytes.subarray(0, length - lengths.mac)
      if (key === undefined || !timingSafeEqual(mac(key, body), bytes.subarray(length - lengths.mac))) return undefined
      return {
        sessionId: toUuid(bytes.toString('hex', lengths.kid, lengths.kid + lengths.session)),
        counter: bytes.readUInt32BE(lengths.kid + lengths.session)
      }
    }
  }
}

const mac = (key: RefreshKey, body: Buffer) => createHmac('sha256', key.secret).update(body).digest()

const toUuid = (hex: string) =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
