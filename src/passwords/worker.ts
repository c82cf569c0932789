import { setPriority } from 'node:os'
import { hashSync } from '@node-rs/argon2'
import { verifyHash } from './schemes/index.ts'
import type { Argon2Cost } from './schemes/scheme.ts'

// On Linux a priority belongs to the thread: requests that need no hash go first.
if (process.platform === 'linux') setPriority(0, 10)

export interface HashTask {
  kind: 'hash'
  password: string
  cost: Argon2Cost
}

export interface VerifyTask {
  kind: 'verify'
  passwords: string[]
  hash: string
  cost: Argon2Cost
  /** What is verified in the place of a hash that cannot be, so that time does not tell. */
  dummy: string
}

export interface Verification {
  /** Whether one of the passwords matches; null for a hash that cannot be read or would cost more than is allowed. */
  matches: boolean | null
  /** Milliseconds of computing. */
  took: number
}

/** Runs in a thread of its own. */
export default function run(task: HashTask | VerifyTask): string | Verification {
  if (task.kind === 'hash') return hashSync(task.password, task.cost)
  const start = performance.now()
  const matches = verify(task, task.hash)
  if (matches === null) verify(task, task.dummy)
  return { matches, took: performance.now() - start }
}

function verify({ passwords, cost }: VerifyTask, hash: string): boolean | null {
  try {
    return verifyHash(hash, passwords, cost)
  } catch {
    return null
  }
}
