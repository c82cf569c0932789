import { median } from './load.ts'
import { makeKeys, startBuilt, startDatabase } from './service.ts'

/** What tells nobody: the same request about who is there and who is not. */
export type Attempt = (post: Post, who: { username: string; email: string }) => Promise<number>

/** Sends a body, and says how many milliseconds the answer took. */
export type Post = (path: string, body: object) => Promise<number>

/**
 * Whether the time of an answer tells if a user exists: interleaved pairs, medians, Mann-Whitney U. Prints what it finds.
 * The number of pairs is the first argument of the script. The service is the built one, in a process of its own: in this
 * one, what it does after an answer would delay the client that waits for that answer.
 */
export async function compareTimes(attempt: Attempt): Promise<void> {
  const pairs = Number(process.argv[2] ?? 500)
  const database = await startDatabase()
  const service = await startBuilt({ DATABASE_URL: database.url, KEYS_DIR: await makeKeys() })

  async function post(path: string, body: object): Promise<number> {
    const start = performance.now()
    const response = await fetch(service.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    await response.text()
    return performance.now() - start
  }

  const named = (name: string) => ({ username: name, email: `${name}@example.com` })
  const somebody = named(`timing-${String(process.pid)}`)
  await post('/auth/registration', { ...somebody, password: 'a long and quiet evening' })

  for (let warmUp = 0; warmUp < 20; warmUp++) await attempt(post, somebody)
  const known: number[] = []
  const unknown: number[] = []
  for (let pair = 0; pair < pairs; pair++) {
    // Who comes first alternates, so that neither profits from the other.
    if (pair % 2 === 0) known.push(await attempt(post, somebody))
    unknown.push(await attempt(post, named(`nobody-${String(pair)}`)))
    if (pair % 2 === 1) known.push(await attempt(post, somebody))
  }

  const [ofKnown, ofUnknown] = [median(known), median(unknown)]
  console.log(
    JSON.stringify({
      pairs,
      median_known_ms: Number(ofKnown.toFixed(3)),
      median_unknown_ms: Number(ofUnknown.toFixed(3)),
      difference_percent: Number(((100 * Math.abs(ofKnown - ofUnknown)) / ofKnown).toFixed(2)),
      mann_whitney_p: Number(mannWhitney(known, unknown).toFixed(4))
    })
  )
  await service.stop()
  await database.stop()
}

/** Two-sided p of the Mann-Whitney U test, by the normal approximation. */
function mannWhitney(a: number[], b: number[]): number {
  const all = [...a.map((value) => ({ value, mine: 1 })), ...b.map((value) => ({ value, mine: 0 }))]
  all.sort((x, y) => x.value - y.value)
  const rankSum = all.reduce((sum, { mine }, index) => sum + mine * (index + 1), 0)
  const u = rankSum - (a.length * (a.length + 1)) / 2
  const mean = (a.length * b.length) / 2
  const deviation = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12)
  return 2 * (1 - normal(Math.abs(u - mean) / deviation))
}

/** The normal distribution function for z ≥ 0 (Abramowitz and Stegun 26.2.17, error below 1e-7). */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z)
  const terms = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429]
  const sum = terms.reduce((total, factor, index) => total + factor * t ** (index + 1), 0)
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum
}
