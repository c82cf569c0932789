import type { Command } from 'commander'
import { print } from './output.ts'
import { withDatabase } from './settings.ts'

export function addMigrate(program: Command, env: NodeJS.ProcessEnv): void {
  program
    .command('migrate')
    .description('bring the database schema up to date')
    .option('--check', 'change nothing; exit with status 1 if migrations are pending')
    .action(async ({ check }: { check?: true }, command: Command) => {
      const { applyMigrations, countPendingMigrations } = await import('../src/database/migrate.ts')
      await withDatabase(env, [], async (database) => {
        if (check === true) {
          const pending = await countPendingMigrations(database.db)
          if (pending > 0) process.exitCode = 1
          print(command, { pending }, pending === 0 ? upToDate : `${count(pending)} pending: run "gatehouse migrate"`)
        } else {
          const applied = await database.exclusively(() => applyMigrations(database))
          print(command, { applied }, applied === 0 ? upToDate : `${count(applied)} applied`)
        }
      })
    })
}

const upToDate = 'The database schema is up to date'

const count = (migrations: number) => (migrations === 1 ? '1 migration' : `${String(migrations)} migrations`)
