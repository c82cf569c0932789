import { Command } from 'commander'
import { version } from '../src/package-folder.ts'
import { addAudit } from './audit.ts'
import { addClients } from './clients.ts'
import { addCompletion } from './completion.ts'
import { addDoctor } from './doctor.ts'
import { addKeys } from './keys.ts'
import { addMigrate } from './migrate.ts'
import { addOpenapi } from './openapi.ts'
import { addOutbox } from './outbox.ts'
import { asksForJson } from './output.ts'
import { addServe } from './serve.ts'
import { addSessions } from './sessions.ts'
import { addUsers } from './users.ts'

const groups = [
  addServe,
  addDoctor,
  addMigrate,
  addKeys,
  addUsers,
  addSessions,
  addAudit,
  addClients,
  addOutbox,
  addOpenapi,
  addCompletion
]

/** All commands. Faults of the command line are thrown like any other, as a `CommanderError`. */
export function createProgram(env: NodeJS.ProcessEnv): Command {
  const program = new Command('gatehouse')
    .description('Authentication and roles on PostgreSQL. Settings come from the environment and from .env.')
    .version(version)
    .option('--json', 'print JSON')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      // They are told where they are caught.
      outputError: () => undefined,
      // The help in the place of a command that is missing.
      writeErr(text) {
        if (!asksForJson()) process.stderr.write(text)
      }
    })
  for (const add of groups) add(program, env)
  return program
}
