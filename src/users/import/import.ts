import type { Db } from '../../database/database.ts'
import { createHolders } from './holders.ts'
import { findHolders, insertImported, reserveIds } from './queries.ts'
import { type NewUserRow, type ReadingOptions, readUser } from './record.ts'
import type { SourceRecord } from './sources.ts'

/** How many lines came to what. */
export interface ImportCounts {
  imported: number
  alreadyThere: number
  refused: number
}

export interface ImportOptions extends ReadingOptions {
  db: Db
  /** Counts and finds faults as an import would, and changes nothing. Remembers every name, so that its memory grows with the file. */
  dryRun?: boolean
  onFault: (line: number, message: string) => void
  /** After each batch. */
  onProgress?: (counts: ImportCounts) => void
}

interface Candidate {
  line: number
  user: NewUserRow
}

// A batch takes some tens of milliseconds, far from a statement's two seconds, and some megabytes.
const batchSize = 500

/**
 * Imports users with their hashes, a batch a transaction. What was imported stays when a later batch fails; a user who
 * is there with the same name and address is passed over, so that the same file can be given again.
 */
export async function importUsers(
  records: AsyncIterable<SourceRecord>,
  { db, dryRun = false, onFault, onProgress, ...reading }: ImportOptions
): Promise<ImportCounts> {
  const counts: ImportCounts = { imported: 0, alreadyThere: 0, refused: 0 }
  const onEarlierLines = createHolders()
  let batch: Candidate[] = []

  for await (const record of records) {
    const user = 'fault' in record ? [record.fault] : readUser(record.fields, reading)
    if (Array.isArray(user)) refuse(record.line, user.join('; '))
    else batch.push({ line: record.line, user })
    if (batch.length === batchSize) await finish()
  }
  await finish()
  return counts

  async function finish(): Promise<void> {
    const free = await sift(batch, dryRun ? onEarlierLines : createHolders())
    const done = dryRun ? free : await insert(free)
    counts.imported += done.length
    // Others who came in the meantime have what was free a moment ago.
    const late = await sift(
      free.filter((candidate) => !done.includes(candidate)),
      createHolders()
    )
    for (const { line } of late) refuse(line, 'was in the way of a change at the same time: import it again')
    batch = []
    onProgress?.(counts)
  }

  /** @returns those whom nothing is in the way of; the others are counted */
  async function sift(candidates: Candidate[], holders: ReturnType<typeof createHolders>): Promise<Candidate[]> {
    if (candidates.length === 0) return []
    for (const holder of await findHolders(
      db,
      candidates.map(({ user }) => user)
    ))
      holders.add(holder)
    return candidates.filter(({ line, user }) => {
      const verdict = holders.judge(user)
      if (verdict === 'free') holders.add(user)
      else if (verdict === 'already there') counts.alreadyThere++
      else refuse(line, verdict.fault)
      return verdict === 'free'
    })
  }

  async function insert(candidates: Candidate[]): Promise<Candidate[]> {
    if (candidates.length === 0) return []
    const users = candidates.map(({ user }) => user)
    const highest = Math.max(...users.map(({ id = 0 }) => id))
    if (highest > 0) await reserveIds(db, highest)
    const inserted = await insertImported(db, users)
    return candidates.filter(({ user }) => inserted.has(user.usernameKey))
  }

  function refuse(line: number, message: string): void {
    counts.refused++
    onFault(line, message)
  }
}
