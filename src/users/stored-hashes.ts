import { and, isNotNull, notLike } from 'drizzle-orm'
import type { Db } from '../database/database.ts'
import { users } from '../database/schema/index.ts'
import type { Argon2Cost } from '../passwords/schemes/scheme.ts'

/** Hashes that are not of the present cost: from before it was raised, or imported. */
export async function findOtherHashes(
  db: Db,
  { memoryCost, timeCost, parallelism }: Argon2Cost,
  limit: number
): Promise<string[]> {
  const present = `$argon2id$v=19$m=${String(memoryCost)},t=${String(timeCost)},p=${String(parallelism)}$%`
  const rows = await db
    .select({ hash: users.passwordHash })
    .from(users)
    .where(and(isNotNull(users.passwordHash), notLike(users.passwordHash, present)))
    .limit(limit)
  return rows.flatMap(({ hash }) => hash ?? [])
}
