import { type ChildProcess, spawn } from 'node:child_process'
import { pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto'
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { hashSync as argon2 } from '@node-rs/argon2'
import { hashSync as bcrypt } from '@node-rs/bcrypt'
import { call } from '../test/support/client.ts'
import { makeKeys, startBuilt, startDatabase } from './support/service.ts'

// How fast users with hashes of every kind come in, how much memory that takes, and whether each kind logs in afterwards.
// On the built service: npm run build && npx tsx bench/import.ts [users]
const users = Number(process.argv[2] ?? 100_000)
const password = 'a long and quiet evening'

const salt = randomBytes(12).toString('hex')
const kinds: Record<string, string> = {
  bcrypt: bcrypt(password, 12),
  django: `pbkdf2_sha256$1000000$${salt}$${pbkdf2Sync(password, salt, 1_000_000, 32, 'sha256').toString('base64')}`,
  werkzeug: `scrypt:32768:8:1$${salt}$${scryptSync(password, salt, 64, { N: 32_768, r: 8, p: 1, maxmem: 2 ** 27 }).toString('hex')}`,
  argon2id: argon2(password, { memoryCost: 19_456, timeCost: 2 })
}
const names = Object.keys(kinds)

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-import-'))
const file = join(folder, 'users.jsonl')
await pipeline(function* () {
  for (let n = 0; n < users; n++) {
    const username = `${names[n % names.length]!}-${String(n)}`
    const record = { id: n + 1, username, email: `${username}@example.com`, password: kinds[names[n % names.length]!] }
    yield `${JSON.stringify({ ...record, is_author: n % 10 === 0, created_at: '2024-05-01T10:00:00Z' })}\n`
  }
}, createWriteStream(file))

const database = await startDatabase()
const service = await startBuilt({ DATABASE_URL: database.url, KEYS_DIR: await makeKeys() })
for (const again of ['', ' the second time']) {
  const { seconds, peak, result } = await importFile()
  const rate = ((users / seconds) * 60).toLocaleString('en', { maximumFractionDigits: 0 })
  console.log(
    `${users.toLocaleString('en')} users${again} in ${seconds.toFixed(1)} s: ${rate} a minute, at most ${peak} MiB`
  )
  console.log(result)
}
for (const [index, kind] of names.entries()) {
  const username = `${kind}-${String(index)}`
  const times = []
  for (let login = 0; login < 2; login++) {
    const started = performance.now()
    const { status } = await call(service, 'POST /auth/login', { json: { username, password } })
    times.push(`${String(status)} after ${(performance.now() - started).toFixed(0)} ms`)
  }
  console.log(`${kind}: login ${times.join(', then ')}`)
}
await service.stop()
await database.stop()
rmSync(folder, { recursive: true })

async function importFile(): Promise<{ seconds: number; peak: string; result: string }> {
  const started = performance.now()
  const child = spawn(process.execPath, ['dist/cli/gatehouse.js', 'users', 'import', file, '--json'], {
    env: { PATH: process.env.PATH, DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let result = ''
  child.stdout.on('data', (chunk: Buffer) => (result += chunk.toString()))
  const peak = await highestMemory(child)
  return { seconds: (performance.now() - started) / 1000, peak, result: result.trimEnd() }
}

/** MiB, by the kernel's own high-water mark. */
async function highestMemory(child: ChildProcess): Promise<string> {
  let kib = 0
  while (child.exitCode === null) {
    try {
      kib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(child.pid)}/status`, 'utf8'))?.[1] ?? kib)
    } catch {
      // It has ended between the two.
    }
    await delay(20)
  }
  return (kib / 1024).toFixed(0)
}
