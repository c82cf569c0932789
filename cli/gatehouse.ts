#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { createProgram } from './program.ts'
import { asksForJson, ignoreGoneReaders } from './output.ts'

ignoreGoneReaders()

// Whatever a command writes, be it keys, a database or its lock, is for the user it runs as.
process.umask(0o077)

try {
  // What is set already wins over the file.
  if (existsSync('.env')) process.loadEnvFile('.env')
  await createProgram(process.env).parseAsync()
} catch (error) {
  const { describeFailure, exitStatus } = await import('./failure.ts')
  process.exitCode = exitStatus(error)
  if (process.exitCode !== 0) {
    const failure = describeFailure(error, process.env)
    process.stderr.write(asksForJson() ? `${JSON.stringify({ error: failure })}\n` : `gatehouse: ${failure.message}\n`)
  }
}
