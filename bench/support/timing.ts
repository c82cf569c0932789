import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { median } from './load.ts'

export interface Comparison {
  /** Settings beside a database in memory; the environment's own come first. */
  env?: Record<string, string>
  /** What tells nobody: the same request about who is there and who is not. */
  attempt: (post: Post, who: { username: string; email: string }) => Promise<number>
}

/** Sends a body, and says how many milliseconds the answer took. */
export type Post = (path: string, body: object) => Promise<number>

/**
 * Whether the time of an answer tells if a user exists: interleaved pairs, medians, Mann-Whitney U. Prints what it finds.
 * The number of pairs is the first argument of the script. DATABASE_URL names another database than one in memory.
 */
export async function compareTimes({ env = {}, attempt }: Comparison): Promise<void> {
  const pairs = Number(process.argv[2] ?? 500)
  const keys = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'))
  const settings = { DATABASE_URL: 'pglite:memory', KEYS_DIR: keys, LOG_LEVEL: 'silent', RATE_LIMIT: 'off' }
  const app = await buildApp(readConfig({ ...settings, ...env, ...process.env }))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  async function post(path: string, body: object): Promise<number> {
    const start = performance.now()
    const response = await fetch(url + path, {
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
  await app.close()
  rmSync(keys, { recursive: true, force: true })
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
