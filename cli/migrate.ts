import type { Command } from 'commander'
import { print } from './output.ts'
import { createProgress } from './progress.ts'
import { withDatabase } from './settings.ts'

// Milliseconds after which somebody wonders.
const silence = 2000

export function addMigrate(program: Command, env: NodeJS.ProcessEnv): void {
  program
    .command('migrate')
    .description('bring the database schema up to date')
    .option('--check', 'change nothing; exit with status 1 if migrations are pending')
    .action(async ({ check }: { check?: true }, command: Command) => {
      if (check === true) await countPending(command, env)
      else await apply(command, env)
    })
}

async function countPending(command: Command, env: NodeJS.ProcessEnv): Promise<void> {
  const { countPendingMigrations } = await import('../src/database/migrate.ts')
  const pending = await withDatabase(env, [], 'refuse', ({ db }) => countPendingMigrations(db))
  if (pending > 0) process.exitCode = 1
  print(command, { pending }, pending === 0 ? upToDate : `${count(pending)} pending: run "gatehouse migrate"`)
}

async function apply(command: Command, env: NodeJS.ProcessEnv): Promise<void> {
  const { applyMigrations, countPendingMigrations } = await import('../src/database/migrate.ts')
  const progress = createProgress()
  const applied = await withDatabase(env, [], 'make', async (database) => {
    const waiting = setTimeout(() => {
      progress.note('Waiting for another process that brings the schema of this database up to date')
    }, silence)
    const work = async () => {
      clearTimeout(waiting)
      const pending = await countPendingMigrations(database.db)
      if (pending > 0) progress.note(`Applying ${count(pending)}`)
      return applyMigrations(database)
    }
    return database.exclusively(work).finally(() => {
      clearTimeout(waiting)
    })
  })
  print(command, { applied }, applied === 0 ? upToDate : `${count(applied)} applied`)
}

const upToDate = 'The database schema is up to date'

const count = (migrations: number) => (migrations === 1 ? '1 migration' : `${String(migrations)} migrations`)
