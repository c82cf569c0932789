import type { Config } from '../config/config.ts'
import { clockLeeway } from '../config/tolerances.ts'

/**
 * The life of a key. It follows from the ages of the keys that are there and from the time, so that instances
 * which share a folder agree without telling each other, and none of it is written down anywhere else.
 */
export type KeyState =
  /** Published, so that everyone knows it before it signs. */
  | 'pending'
  /** Signs. */
  | 'active'
  /** Signs no more; what it signed is still good. */
  | 'retiring'
  /** All that it signed has expired. */
  | 'gone'

export interface KeySchedule {
  /** Seconds from a key's making to its first signature. */
  activationDelay: number
  /** Seconds for which what a key signed may be good. */
  validity: number
}

/** The state of each key, given oldest first. The first key of all signs at once: there is no other. */
export function listStates(
  keys: readonly { createdAt: Date }[],
  { activationDelay, validity }: KeySchedule,
  now: number
): KeyState[] {
  const activeFrom = keys.map(({ createdAt }, index) =>
    index === 0 ? -Infinity : createdAt.getTime() + activationDelay * 1000
  )
  const active = activeFrom.findLastIndex((time) => time <= now)
  return keys.map((_, index) => {
    if (index > active) return 'pending'
    if (index === active) return 'active'
    return (activeFrom[index + 1] ?? now) + validity * 1000 > now ? 'retiring' : 'gone'
  })
}

/** The schedules of both kinds of key. All in seconds. */
export const listSchedules = (
  config: Pick<Config, 'keyActivationDelay' | 'accessTokenLifetime' | 'session'>
): Record<'access' | 'refresh', KeySchedule> => ({
  access: { activationDelay: config.keyActivationDelay, validity: config.accessTokenLifetime + clockLeeway },
  refresh: { activationDelay: config.keyActivationDelay, validity: config.session.absolute + clockLeeway }
})
