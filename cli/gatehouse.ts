#!/usr/bin/env node
import { ignoreGoneReaders, printFailure } from './output.ts'
import { createProgram } from './program.ts'
import { loadSettingsFile } from './settings.ts'

ignoreGoneReaders()

// Whatever a command writes, be it keys, a database or its lock, is for the user it runs as.
process.umask(0o077)

try {
  loadSettingsFile()
  await createProgram(process.env).parseAsync()
} catch (error) {
  const { describeFailure, exitStatus } = await import('./failure.ts')
  const status = exitStatus(error)
  if (status !== 0) {
    process.exitCode = status
    printFailure(describeFailure(error, process.env))
  }
}
