import { setPriority } from 'node:os'
import { hashSync, type Options, verifySync } from '@node-rs/argon2'

// On Linux a priority belongs to the thread: requests that need no hash go first.
if (process.platform === 'linux') setPriority(0, 10)

export type HashTask =
  { kind: 'hash'; password: string; options: Options } | { kind: 'verify'; password: string; hash: string }

/** Runs in a thread of its own. @returns a hash, or whether the password matches, or null for a hash that cannot be read */
export default function run(task: HashTask): string | boolean | null {
  if (task.kind === 'hash') return hashSync(task.password, task.options)
  try {
    return verifySync(task.hash, task.password)
  } catch {
    return null
  }
}
