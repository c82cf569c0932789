import { sessionKey } from '../ids.ts'
import type { Revocable } from '../tokens/claims.ts'
import type { Revocation } from '../repositories/revocations.ts'

/** What an instance remembers: each revocation for as long as a token from before it can live. */
export interface RevocationList {
  add: (entry: Revocation) => void
  has: (principal: Revocable) => boolean
  size: () => number
  forgetExpired: () => void
}

/**
 * Sessions, and what is like them (`Revocation`), are held as the numbers of `sessionKey`: a million of them take about 60 MB, as strings twice that.
 * @param lifetime seconds
 * @param now seconds, of a clock that never goes back
 */
export function createRevocationList(
  lifetime: number,
  now = () => Math.floor(performance.now() / 1000)
): RevocationList {
  // Maps keep the order of insertion, so what has expired stands first.
  const sessions = new Map<number, number>()
  const holders = new Map<Holder, { version: number; expires: number }>()

  function forgetExpired(): void {
    const time = now()
    for (const [key, expires] of sessions) {
      if (expires > time) break
      sessions.delete(key)
    }
    for (const [id, { expires }] of holders) {
      if (expires > time) break
      holders.delete(id)
    }
  }

  return {
    add(entry) {
      const time = now()
      if ('sessionId' in entry) {
        const key = sessionKey(entry.sessionId)
        sessions.delete(key)
        sessions.set(key, time + lifetime)
        return
      }
      const id = 'userId' in entry ? entry.userId : entry.clientId
      const version = Math.max(entry.version, holders.get(id)?.version ?? 0)
      holders.delete(id)
      holders.set(id, { version, expires: time + lifetime })
    },
    has(principal) {
      if (sessions.has(principal.sessionKey)) return true
      const isUser = principal.kind === 'user'
      if (!isUser && principal.tokenKey !== undefined && sessions.has(principal.tokenKey)) return true
      const holder = holders.get(isUser ? principal.userId : principal.clientId)
      return holder !== undefined && principal.version < holder.version
    },
    size: () => sessions.size + holders.size,
    forgetExpired
  }
}

/** Who holds tokens: the id of a user, or of a client. */
type Holder = number | string
