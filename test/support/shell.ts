import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** An answer as the documents print it: `…` is anything, and on a line of its own any lines, or none. */
export function patternOf(answer: string): RegExp {
  const escaped = answer.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const pattern = escaped.replaceAll(/^…\n/gm, '(?:[^]*?\n)?').replaceAll('…', '[^]*?')
  return new RegExp(`^${pattern}$`)
}

/** Runs commands as a newcomer would, in a folder of their own; where there is no fitting curl, with a small one. */
export function createShell(t: Test, env: Record<string, string> = {}): (script: string) => Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-walk-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  addCurl(t, folder)
  const path = [folder, dirname(process.execPath), process.env.PATH ?? ''].join(delimiter)
  return async (script) => {
    // What the service and the commands say is read as it comes: the service runs in this very process.
    const child = spawn('sh', ['-c', script], {
      cwd: folder,
      env: { ...env, PATH: path },
      stdio: ['ignore', 'pipe', 'ignore']
    })
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
    await new Promise((resolve) => child.once('close', resolve))
    return printed.replaceAll('\r', '').trim()
  }
}

/** Puts a small curl of our own into a folder, unless the machine's sends Secure cookies to 127.0.0.1. */
export function addCurl(t: Test, folder: string): void {
  const [, major, minor] =
    /^curl (\d+)\.(\d+)/.exec(spawnSync('curl', ['--version'], { encoding: 'utf8' }).stdout) ?? []
  // Older ones keep Secure cookies for https, and some machines have none.
  const fitting = Number(major) > 7 || (Number(major) === 7 && Number(minor) >= 79)
  t.comment(fitting ? 'with curl' : "with the tests' own curl")
  if (!fitting) {
    const own = fileURLToPath(new URL('../../.tap/compiled/test/support/curl.js', import.meta.url))
    const shim = `#!/bin/sh\nexec '${process.execPath}' '${own}' "$@"\n`
    writeFileSync(join(folder, 'curl'), shim)
    chmodSync(join(folder, 'curl'), 0o755)
  }
}
