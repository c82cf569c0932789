import { setTimeout as delay } from 'node:timers/promises'
import {
  fingerprint,
  KeyError,
  type KeySource,
  type PublicJwk,
  readKeys,
  type RefreshKey,
  type SigningKey
} from './key-files.ts'
import { type KeySchedule, listStates } from './key-states.ts'

/** The keys at one moment. */
export interface KeyringSnapshot {
  signing: SigningKey
  /** Every key whose access tokens are good. */
  verifying: ReadonlyMap<string, SigningKey>
  /** RFC 7517 §5: those, and the ones that will sign soon. */
  jwks: { keys: PublicJwk[] }
  refreshSigning: RefreshKey
  refreshVerifying: ReadonlyMap<string, RefreshKey>
}

export interface Keyring {
  current: () => KeyringSnapshot
  /** The key of an access token. One that is not known is looked for in the files as they are from now on. */
  find: (kid: unknown) => Promise<SigningKey | undefined>
  close: () => void
}

export interface KeyringOptions {
  source: KeySource
  schedules: Record<'access' | 'refresh', KeySchedule>
  /** A key came, went, or changed its state. */
  onChange?: (snapshot: KeyringSnapshot) => void
  /** The files cannot be used as they are: the keys from before stay in use. */
  onFault?: (error: unknown) => void
}

// Milliseconds. Between looks at the files there is a pause, so that tokens with made-up keys cost little.
const pollInterval = 500
const pause = 20

/**
 * Reads the keys and goes on watching them: a file that is dropped in or taken away is noticed within half a second.
 * @throws {KeyError} where they cannot be used, or there are none
 */
export function openKeyring(options: KeyringOptions): Keyring {
  const { source } = options
  let seen = fingerprint(source)
  let files = readKeys(source)
  let snapshot = take()
  let description = describe(snapshot)
  let lastLook = performance.now()
  let nextLook: Promise<void> | undefined

  function take(): KeyringSnapshot {
    const now = Date.now()
    const usable = <K extends { kid: string; createdAt: Date }>(keys: K[], schedule: KeySchedule, missing: string) => {
      const states = listStates(keys, schedule, now)
      const inState = (...wanted: string[]) => keys.filter((_, index) => wanted.includes(states[index] ?? ''))
      const [active] = inState('active')
      if (active === undefined) throw new KeyError(missing)
      return { active, known: inState('pending', 'active', 'retiring') }
    }
    const where = 'dir' in source ? source.dir : source.privateKeyFile
    const signing = usable(
      files.signing,
      options.schedules.access,
      `There is no key in ${where}: make one with "gatehouse keys generate"`
    )
    const refresh = usable(
      files.refresh,
      options.schedules.refresh,
      `There is no key for refresh tokens in ${where}: make one with "gatehouse keys generate"`
    )
    return {
      signing: signing.active,
      verifying: new Map(signing.known.map((key) => [key.kid, key])),
      jwks: { keys: signing.known.map((key) => key.jwk) },
      refreshSigning: refresh.active,
      refreshVerifying: new Map(refresh.known.map((key) => [key.kid, key]))
    }
  }

  function look(): void {
    lastLook = performance.now()
    try {
      const now = fingerprint(source)
      if (now !== seen) {
        files = readKeys(source)
        seen = now
      }
      const next = take()
      const changed = describe(next)
      if (changed === description) return
      snapshot = next
      description = changed
      options.onChange?.(next)
    } catch (error) {
      options.onFault?.(error)
    }
  }

  async function lookAfterPause(): Promise<void> {
    await delay(Math.max(0, lastLook + pause - performance.now()))
    nextLook = undefined
    look()
  }

  const timer = setInterval(look, pollInterval)
  timer.unref()

  return {
    current: () => snapshot,
    async find(kid) {
      if (typeof kid !== 'string') return undefined
      const known = snapshot.verifying.get(kid)
      if (known !== undefined) return known
      nextLook ??= lookAfterPause()
      await nextLook
      return snapshot.verifying.get(kid)
    },
    close: () => {
      clearInterval(timer)
    }
  }
}

const describe = (snapshot: KeyringSnapshot): string =>
  [
    snapshot.signing.kid,
    ...snapshot.verifying.keys(),
    snapshot.refreshSigning.kid,
    ...snapshot.refreshVerifying.keys()
  ].join(' ')
