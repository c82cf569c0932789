import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'

// Whether the time of a failed login tells if the user exists: interleaved pairs, medians, Mann-Whitney U.
// Run on a quiet machine: npx tsx bench/login-timing.ts [pairs]
// DATABASE_URL names another database than one in memory.

const pairs = Number(process.argv[2] ?? 500)
const keys = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'))
const app = await buildApp(
  readConfig({ DATABASE_URL: 'pglite:memory', KEYS_DIR: keys, LOG_LEVEL: 'silent', RATE_LIMIT: 'off', ...process.env })
)
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

const username = `timing-${String(process.pid)}`
const password = 'a long and quiet evening'
await post('/auth/registration', { username, email: `${username}@example.com`, password })
const attempt = (name: string) => post('/auth/login', { username: name, password: 'not the password' })

for (let warmUp = 0; warmUp < 20; warmUp++) await attempt(username)
const known: number[] = []
const unknown: number[] = []
for (let pair = 0; pair < pairs; pair++) {
  // Who comes first alternates, so that neither profits from the other.
  if (pair % 2 === 0) known.push(await attempt(username))
  unknown.push(await attempt(`nobody-${String(pair)}`))
  if (pair % 2 === 1) known.push(await attempt(username))
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

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
