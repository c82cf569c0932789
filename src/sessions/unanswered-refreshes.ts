import type { Db } from '../database/database.ts'
import { isUnavailable } from '../database/errors.ts'
import { markUnanswered, type RefreshClaims, type RotateSession } from '../repositories/session-rotation.ts'
import type { SessionLimits } from '../config/config.ts'

/**
 * Refresh tokens whose use this instance answered with 503. The database may have moved the session on all the same, and
 * a client that was told to try again must not be taken for a thief when it does, however late. So what is remembered here is
 * marked in the database as soon as that is back, for every instance to see.
 */
export interface UnansweredRefreshes {
  /** Rotates, marks first what is remembered of the token, and remembers it where the database does not answer. */
  rotating: (rotate: RotateSession) => RotateSession
  /** Whether the database was out of reach a moment ago, so that another instance may still be about to mark. */
  mayArrive: () => boolean
  /** Marks what can be marked. */
  close: () => Promise<void>
}

export interface UnansweredRefreshesOptions {
  db: Db
  limits: SessionLimits
  /** Milliseconds since the database was last seen out of reach by others than these calls. */
  reachableFor: () => number
  /** Milliseconds, of a clock that never goes back. */
  now?: () => number
  /** Milliseconds until the database is asked again. */
  retryDelay?: number
}

interface Remembered {
  presented: RefreshClaims
  firstPresentedAt: number
  /** When the database first answered that the session had not moved on. */
  askedAt?: number
}

const maxRemembered = 10_000

// Milliseconds.
/** Longer than a statement may run: what was sent before the outage has arrived or never will. */
const secondLook = 3000

/** In which every instance has found the database again and marked what it remembers. */
const arrival = 3000

export function createUnansweredRefreshes({
  db,
  limits,
  reachableFor,
  now = () => performance.now(),
  retryDelay = 200
}: UnansweredRefreshesOptions): UnansweredRefreshes {
  const remembered = new Map<string, Remembered>()
  let lastFailure = -Infinity
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  function remember(key: string, entry: Remembered): void {
    lastFailure = now()
    // Maps keep the order of insertion: the first is the oldest.
    if (remembered.size >= maxRemembered) remembered.delete(remembered.keys().next().value ?? '')
    remembered.set(key, entry)
    schedule(retryDelay)
  }

  function schedule(delay: number): void {
    if (isClosed) return
    timer ??= setTimeout(() => {
      timer = undefined
      void markAll()
    }, delay).unref()
  }

  async function mark(key: string, entry: Remembered): Promise<void> {
    const age = (now() - entry.firstPresentedAt) / 1000
    const mayYetRotate = await markUnanswered(db, entry.presented, age, limits)
    if (mayYetRotate && entry.askedAt === undefined) entry.askedAt = now()
    else remembered.delete(key)
  }

  /** One after the other, so that the database has its connections for others. */
  async function markAll(): Promise<void> {
    for (const [key, entry] of remembered) {
      if (entry.askedAt !== undefined && now() - entry.askedAt < secondLook) continue
      try {
        await mark(key, entry)
      } catch (error) {
        if (isUnavailable(error)) {
          lastFailure = now()
          schedule(retryDelay)
          return
        }
        remembered.delete(key)
      }
    }
    if (remembered.size > 0) schedule(secondLook)
  }

  return {
    rotating: (rotate) => async (presented) => {
      const key = `${presented.sessionId} ${String(presented.counter)}`
      const known = remembered.get(key)
      const firstPresentedAt = known?.firstPresentedAt ?? now()
      try {
        if (known !== undefined) await mark(key, known)
        return await rotate(presented)
      } catch (error) {
        if (isUnavailable(error)) remember(key, { presented, firstPresentedAt })
        throw error
      }
    },
    mayArrive: () => Math.min(now() - lastFailure, reachableFor()) < arrival,
    async close() {
      isClosed = true
      clearTimeout(timer)
      await markAll()
    }
  }
}
