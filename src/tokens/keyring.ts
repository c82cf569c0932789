import type { JWK } from 'jose'
import { fingerprint, KeyError, type KeySource, readKeys, type RefreshKey, type SigningKey } from './key-files.ts'
import { type KeySchedule, statesOf } from './key-states.ts'

/** The keys at one moment. */
export interface KeyringSnapshot {
  signing: SigningKey
  /** Every key whose access tokens are good. */
  verifying: ReadonlyMap<string, SigningKey>
  /** RFC 7517 §5: those, and the ones that will sign soon. */
  jwks: { keys: JWK[] }
  refreshSigning: RefreshKey
  refreshVerifying: ReadonlyMap<string, RefreshKey>
}

export interface Keyring {
  current: () => KeyringSnapshot
  /** The key of an access token. One that is not known is looked for in the files once more. */
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

// Milliseconds.
const pollInterval = 500
const cooldown = 20

/**
 * Reads the keys and goes on watching them: a file that is dropped in or taken away is noticed within half a second.
 * @throws {KeyError} where they cannot be used, or there are none
 */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const { source } = options
  let seen = fingerprint(source)
  let files = await readKeys(source)
  let snapshot = take()
  let description = describe(snapshot)
  let lastLook = performance.now()

  function take(): KeyringSnapshot {
    const now = Date.now()
    const usable = <K extends { kid: string; createdAt: Date }>(keys: K[], schedule: KeySchedule, missing: string) => {
      const states = statesOf(keys, schedule, now)
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

  async function look(): Promise<void> {
    lastLook = performance.now()
    try {
      const now = fingerprint(source)
      if (now !== seen) {
        files = await readKeys(source)
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

  const timer = setInterval(() => void look(), pollInterval)
  timer.unref()

  return {
    current: () => snapshot,
    async find(kid) {
      if (typeof kid !== 'string') return undefined
      const known = snapshot.verifying.get(kid)
      if (known !== undefined || performance.now() - lastLook < cooldown) return known
      await look()
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
