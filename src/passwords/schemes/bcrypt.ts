import { createHash, createHmac } from 'node:crypto'
import { verifySync } from '@node-rs/bcrypt'
import { beyond, type Scheme, type StoredHash } from './scheme.ts'

// 2 to this power: bcrypt knows none below, and the most is about a second of a core.
const minCost = 4
const maxCost = 14

const standard = String.raw`(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})`
const plain = new RegExp(String.raw`^(?:bcrypt\$)?${standard}$`)
const django = new RegExp(String.raw`^bcrypt_sha256\$${standard}$`)
const passlib = /^\$bcrypt-sha256\$(v=2,t=)?(2[ab]),(?:r=)?(\d{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/

/**
 * `$2a$`, `$2b$` and `$2y$`, which look at the first 72 bytes of a password alone, as where they come from;
 * Django's `bcrypt$`, and what Django and passlib do against the 72 bytes: bcrypt of a SHA-256.
 */
export const bcrypt: Scheme = (hash) => {
  const [, bare] = plain.exec(hash) ?? []
  if (bare !== undefined) return read(bare, (password) => password)
  const [, prehashed] = django.exec(hash) ?? []
  if (prehashed !== undefined) return read(prehashed, (password) => sha256(password).digest('hex'))
  const [, second, kind = '', rounds = '', salt = '', digest = ''] = passlib.exec(hash) ?? []
  if (digest === '') return undefined
  return read(`$${kind}$${rounds.padStart(2, '0')}$${salt}${digest}`, (password) =>
    (second === undefined ? sha256(password) : createHmac('sha256', salt).update(password)).digest('base64')
  )
}

function read(hash: string, prepare: (password: string) => string): StoredHash | undefined {
  const cost = parseCost(hash)
  if (cost === undefined) return undefined
  return {
    kind: `bcrypt ${String(cost)}`,
    excess: () => beyond(['a bcrypt cost of', cost, maxCost]),
    matches: (password) => verifySync(prepare(password), hash)
  }
}

const sha256 = (password: string) => createHash('sha256').update(password)

/** @returns undefined for what bcrypt has no such cost for */
function parseCost(hash: string): number | undefined {
  const cost = Number(hash.slice(4, 6))
  return cost >= minCost && cost <= 31 ? cost : undefined
}
