import type { Keyring } from '../keys/keyring.ts'
import { uuidBytes, toUuid } from '../ids.ts'
import type { RefreshClaims } from '../repositories/session-rotation.ts'
import { createSeal } from './seal.ts'

export interface RefreshTokens {
  /** Derived from session and counter alone, so that a lost answer can be given again. */
  issue: (claims: RefreshClaims) => string
  /** @returns undefined for a token that this service, with the keys it has, did not issue */
  read: (token: string) => RefreshClaims | undefined
}

const sessionLength = 16
const counterLength = 4

/**
 * Refresh tokens that the database cannot give away: it holds session and counter, and the key of their MAC is not in it.
 * After supabase/auth, `internal/tokens/service.go`.
 */
export function createRefreshTokens(keyring: Keyring): RefreshTokens {
  // Under the secret itself, which is what the key is for, and what tokens of version 0.1 were sealed with.
  const { seal, open } = createSeal(keyring, undefined, sessionLength + counterLength)
  return {
    issue({ sessionId, counter }) {
      const suffix = Buffer.alloc(counterLength)
      suffix.writeUInt32BE(counter)
      return seal(Buffer.concat([uuidBytes(sessionId), suffix]))
    },
    read(token) {
      const body = open(token)
      return body && { sessionId: toUuid(body.subarray(0, sessionLength)), counter: body.readUInt32BE(sessionLength) }
    }
  }
}
