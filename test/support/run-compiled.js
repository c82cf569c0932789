import { spawn } from 'node:child_process'
import { relative, resolve } from 'node:path'
import process from 'node:process'

// Node loads this before a test file, and the test goes on in a process of its own: what compile.js has made of it, without
// the hooks that tap adds to follow every module and every child process. They would cost more than most tests do.
const file = process.argv[1] ?? ''
if (file.endsWith('.test.ts')) {
  const root = resolve(import.meta.dirname, '../..')
  const compiled = resolve(root, '.tap/compiled', relative(root, file)).replace(/ts$/, 'js')
  const env = { ...process.env }
  delete env.NODE_OPTIONS
  // V8 spends more on making PGlite faster than a test gains.
  const options = ['--enable-source-maps', '--liftoff-only']
  const test = spawn(process.execPath, [...options, compiled, ...process.argv.slice(2)], { env, stdio: 'inherit' })
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP']))
    process.on(signal, () => test.kill(signal))
  test.once('exit', (status) => process.exit(status ?? 1))
  await new Promise(() => undefined)
}
