import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Finding } from '../config/production-checks.ts'
import { isKeyFile } from './key-files.ts'

// Of a mode: what every user of the machine may do, and what the file's group may.
const othersRead = 0o004
const othersWrite = 0o002
const groupWrite = 0o020
const others = 0o007

/**
 * Whether the files of the service are its own. Production refuses keys that every user of the machine can replace.
 * Keys that they can read are a warning: in a container that mounts secrets with mode 0644 there is no other user.
 */
export function findingsOfFiles({ production, keys, database }: Config): Finding[] {
  // Where there are no modes, they say nothing.
  if (process.platform === 'win32') return []
  const findings: Finding[] = []
  const add = (level: Finding['level'], message: string) => findings.push({ level, message })
  const severe = production ? 'refuse' : 'warn'

  const name = 'dir' in keys ? 'KEYS_DIR' : 'JWT_PRIVATE_KEY'
  const folder = 'dir' in keys ? keys.dir : dirname(keys.privateKeyFile)
  const files = 'dir' in keys ? keyFilesIn(keys.dir) : [keys.privateKeyFile]
  const mode = readMode(folder)
  if (may(mode, othersWrite) && isWritable(folder)) {
    const what = `${name}: every user of this machine may put keys into ${folder} (mode ${octal(mode)})`
    add(severe, `${what}: chmod 700 ${folder}`)
  } else if (production && may(mode, groupWrite) && isWritable(folder)) {
    const what = `${name}: the group of ${folder} may put keys into it (mode ${octal(mode)})`
    add('warn', `${what}: chmod 700 ${folder}, unless the whole group may sign tokens`)
  }
  const replaceable = files.filter((file) => may(readMode(file), othersWrite) && isWritable(file))
  if (replaceable.length > 0) {
    add(severe, `${name}: every user of this machine may replace ${replaceable.join(', ')}: ${remedy(replaceable)}`)
  }
  const readable = files.filter((file) => may(readMode(file), othersRead))
  if (readable.length > 0) {
    add('warn', `${name}: every user of this machine may read ${readable.join(', ')}: ${remedy(readable)}`)
  }

  const data = database.url.startsWith('pglite:') ? database.url.slice('pglite:'.length) : 'memory'
  if (data !== 'memory' && may(readMode(data), others | groupWrite)) {
    const what = `DATABASE_URL: other users of this machine may enter ${data} (mode ${octal(readMode(data))})`
    add('warn', `${what}, where the embedded database is: chmod 700 ${data}`)
  }
  return findings
}

const may = (mode: number | undefined, bits: number) => ((mode ?? 0) & bits) !== 0

const octal = (mode = 0) => mode.toString(8).padStart(4, '0')

const remedy = (files: string[]) => `chmod 600 ${files.join(' ')}`

function readMode(path: string): number | undefined {
  try {
    return statSync(path).mode & 0o7777
  } catch {
    // What is missing or cannot be reached is told by what needs it.
    return undefined
  }
}

/** Whatever its mode says, nobody writes to what is mounted to be read alone, as orchestrators mount secrets. */
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EROFS'
  }
}

function keyFilesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter(isKeyFile)
      .map((name) => join(dir, name))
  } catch {
    return []
  }
}
