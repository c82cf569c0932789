import { spawnSync } from 'node:child_process'

/** Runs the built `gatehouse` to its end. @returns what it printed, which is JSON with `--json` */
export function gatehouse(env: Record<string, string>, ...args: string[]): unknown {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/cli/gatehouse.js', ...args], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8'
  })
  if (status !== 0) throw new Error(`gatehouse ${args.join(' ')} ended with ${String(status)}: ${stderr}`)
  return JSON.parse(stdout)
}
