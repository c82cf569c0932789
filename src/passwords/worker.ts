import { setPriority } from 'node:os'
import { hashSync } from '@node-rs/argon2'
import { verifyHash } from './schemes/index.ts'
import type { Argon2Cost } from './schemes/scheme.ts'

// On Linux a priority belongs to the thread: requests that need no hash go first.
if (process.platform === 'linux') setPriority(0, 10)

export type HashTask =
  | { kind: 'hash'; password: string; cost: Argon2Cost }
  | { kind: 'verify'; passwords: string[]; hash: string; cost: Argon2Cost }

/**
 * Runs in a thread of its own. @returns a hash, or whether one of the passwords matches, or null for a hash that cannot
 * be read or would cost more than is allowed
 */
export default function run(task: HashTask): string | boolean | null {
  if (task.kind === 'hash') return hashSync(task.password, task.cost)
  try {
    return verifyHash(task.hash, task.passwords, task.cost)
  } catch {
    return null
  }
}
