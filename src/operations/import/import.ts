import { setTimeout as delay } from 'node:timers/promises'
import type { Db } from '../../database/database.ts'
import { isUnavailable } from '../../database/errors.ts'
import { createDuplicateCheck } from './duplicates.ts'
import { findDuplicates, insertImported, type ImportedUser, reserveIds } from '../../repositories/user-import.ts'
import { isId, type ReadingOptions, readUser } from './record.ts'
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
  user: ImportedUser
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
  const onEarlierLines = createDuplicateCheck()
  let batch: Candidate[] = []
  let highestId = 0
  let reservedId = 0

  for await (const record of records) {
    if ('fields' in record && isId(record.fields.id)) highestId = Math.max(highestId, record.fields.id)
    const user = 'fault' in record ? [record.fault] : readUser(record.fields, reading)
    if (Array.isArray(user)) refuse(record.line, user.join('; '))
    else batch.push({ line: record.line, user })
    if (batch.length === batchSize) await finish()
  }
  await finish()
  return counts

  async function finish(): Promise<void> {
    if (!dryRun) await reserve()
    const free = await filterFree(batch, dryRun ? onEarlierLines : createDuplicateCheck())
    const done = dryRun ? free : await insert(free)
    counts.imported += done.length
    // Others who came in the meantime have what was free a moment ago.
    const late = await filterFree(
      free.filter((candidate) => !done.includes(candidate)),
      createDuplicateCheck()
    )
    for (const { line } of late) refuse(line, 'was in the way of a change at the same time: import it again')
    batch = []
    onProgress?.(counts)
  }

  /** @returns those who can be inserted; the others are counted */
  async function filterFree(
    candidates: Candidate[],
    duplicates: ReturnType<typeof createDuplicateCheck>
  ): Promise<Candidate[]> {
    if (candidates.length === 0) return []
    const users = candidates.map(({ user }) => user)
    for (const user of await withRetries(() => findDuplicates(db, users))) duplicates.add(user)
    return candidates.filter(({ line, user }) => {
      const verdict = duplicates.check(user)
      if (verdict === 'free') duplicates.add(user)
      else if (verdict === 'already there') counts.alreadyThere++
      else refuse(line, verdict.fault)
      return verdict === 'free'
    })
  }

  async function insert(candidates: Candidate[]): Promise<Candidate[]> {
    if (candidates.length === 0) return []
    const users = candidates.map(({ user }) => user)
    const inserted = await withRetries(() => insertImported(db, users))
    return candidates.filter(({ user }) => inserted.has(user.usernameKey))
  }

  /** Keeps the ids of the file, also those of refused lines, from users who register meanwhile. */
  async function reserve(): Promise<void> {
    if (highestId === reservedId) return
    await withRetries(() => reserveIds(db, highestId))
    reservedId = highestId
  }

  function refuse(line: number, message: string): void {
    counts.refused++
    onFault(line, message)
  }
}

// Milliseconds before each new attempt.
const pauses = [500, 2000, 5000]

/**
 * Tries again when the database is busy or restarts: all that is done here may be done twice. Users of a batch that was
 * committed without an answer are found to be there already.
 */
async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (const pause of pauses) {
    try {
      return await work()
    } catch (error) {
      if (!isUnavailable(error)) throw error
      await delay(pause)
    }
  }
  return work()
}
