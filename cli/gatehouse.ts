#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { addAudit } from './audit.ts'
import { addClients } from './clients.ts'
import { addDoctor } from './doctor.ts'
import { addKeys } from './keys.ts'
import { addMigrate } from './migrate.ts'
import { addOpenapi } from './openapi.ts'
import { addOutbox } from './outbox.ts'
import { addServe } from './serve.ts'
import { addUsers } from './users.ts'
import { version } from '../src/package-folder.ts'

// A reader that has seen enough, as in `gatehouse users list | head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

// Whatever a command writes, be it keys, a database or its lock, is for the user it runs as.
process.umask(0o077)

const program = new Command('gatehouse')
  .description('Authentication and roles on PostgreSQL. Settings come from the environment and from .env.')
  .version(version)
  .option('--json', 'print JSON')
  .configureHelp({ showGlobalOptions: true })

for (const add of [addServe, addDoctor, addMigrate, addKeys, addUsers, addAudit, addClients, addOutbox, addOpenapi])
  add(program, process.env)

try {
  // What is set already wins over the file.
  if (existsSync('.env')) process.loadEnvFile('.env')
  await program.parseAsync()
} catch (error) {
  const { explainFailure } = await import('./failure.ts')
  process.stderr.write(`gatehouse: ${explainFailure(error, process.env)}\n`)
  process.exit(1)
}
