import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { AccessProblem } from './access-problem.ts'

type Keys = ReturnType<typeof createLocalJWKSet>

interface KeySetOptions {
  url: URL
  /** Seconds after which keys are fetched again, so that one which Gatehouse has withdrawn is trusted no longer. */
  maxAge: number
  fetch: typeof fetch
  /** Milliseconds since the epoch. */
  now: () => number
}

/** Seconds between two fetches for keys that are not known: anybody can send tokens that name one. */
const cooldown = 30

/** Seconds after a fetch that failed. */
const retryInterval = 5

const timeout = 3

/** Bytes: some fifty RSA keys. */
const maxSize = 65_536

/**
 * The public keys of Gatehouse (RFC 7517), looked up by the `kid` of a token and nothing else in it.
 * They stay in use while they cannot be fetched. Halfway to their maximum age they are fetched beside the requests, which
 * wait for it only beyond that, as after an idle night, and only once while Gatehouse does not answer.
 */
export function createKeySet({ url, maxAge, fetch, now }: KeySetOptions): JWTVerifyGetKey {
  let keys: Keys | undefined
  let fetchedAt = -Infinity
  let failedAt = -Infinity
  let failure: unknown
  let fetching: Promise<void> | undefined

  const secondsSince = (time: number) => (now() - time) / 1000
  const isResting = () => secondsSince(failedAt) < retryInterval

  /** Fetches unless that failed just now, once for all who ask meanwhile. It never throws. */
  function renew(): Promise<void> {
    if (isResting()) return Promise.resolve()
    fetching ??= fetchKeys(url, fetch)
      .then(
        (fetched) => {
          keys = fetched
          fetchedAt = now()
          failedAt = -Infinity
        },
        (error: unknown) => {
          failure = error
          failedAt = now()
        }
      )
      .finally(() => {
        fetching = undefined
      })
    return fetching
  }

  return async (header, token) => {
    if (typeof header.kid !== 'string') throw new errors.JWSInvalid('The token names no key')
    const age = secondsSince(fetchedAt)
    const failsNow = failedAt > fetchedAt
    if (keys === undefined || (age >= maxAge && !failsNow)) await renew()
    else if (age >= maxAge / 2) void renew()
    try {
      return await find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      if (secondsSince(fetchedAt) < cooldown) throw error
      await renew()
      // Not the token's fault, as far as can be told: the key may be one that could not be fetched.
      if (isResting()) throw unavailable()
      return find(header, token)
    }
  }

  async function find(...[header, token]: Parameters<JWTVerifyGetKey>) {
    if (keys === undefined) throw unavailable()
    return keys(header, token)
  }

  function unavailable() {
    return new AccessProblem('unavailable', { cause: failure, retryAfter: retryInterval })
  }
}

async function fetchKeys(url: URL, fetch: typeof globalThis.fetch): Promise<Keys> {
  const answer = await fetch(url, {
    headers: { accept: 'application/json' },
    // To another address somebody else could lead.
    redirect: 'error',
    signal: AbortSignal.timeout(timeout * 1000)
  })
  if (!answer.ok) {
    await answer.body?.cancel()
    throw new Error(`${url.href} answered ${String(answer.status)}`)
  }
  return createLocalJWKSet(JSON.parse(await readText(answer)) as JSONWebKeySet)
}

async function readText({ body }: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  const reader = body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined
  for (;;) {
    const { done = true, value } = (await reader?.read()) ?? {}
    if (done) return text + decoder.decode()
    size += value?.byteLength ?? 0
    if (size > maxSize) {
      await reader?.cancel()
      throw new Error(`The keys are more than ${String(maxSize)} bytes`)
    }
    text += decoder.decode(value, { stream: true })
  }
}
