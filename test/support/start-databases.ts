import { spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { prepareSharedFolder, sharedFile } from './postgres-server.ts'

// tap runs this once before the test files; what it starts must outlive it.
prepareSharedFolder()
const log = `${sharedFile}.log`
const supervisor = spawn(
  process.execPath,
  [
    // PGlite is not worth what V8 spends on making it faster.
    '--liftoff-only',
    fileURLToPath(new URL('../../.tap/compiled/test/support/supervisor.js', import.meta.url)),
    String(process.ppid)
  ],
  { detached: true, stdio: ['ignore', openSync(log, 'w'), openSync(log, 'a')] }
)
const deadline = Date.now() + 90_000
while (!existsSync(sharedFile)) {
  if (supervisor.exitCode !== null || Date.now() > deadline) {
    console.error(`The databases of the tests did not start:\n${readFileSync(log, 'utf8')}`)
    process.exit(1)
  }
  await delay(50)
}
supervisor.unref()
