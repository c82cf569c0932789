import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/** Programs that the examples ask a version of: what a machine has may be older. */
const examples: Record<string, { variable: string; minVersion: string }> = {
  caddy: { variable: 'CADDY_PATH', minVersion: '2.8.0' },
  traefik: { variable: 'TRAEFIK_PATH', minVersion: '3.7.12' }
}

/**
 * The first of the programs that is on the PATH, or where system daemons are kept, and recent enough; one that a variable
 * names comes first.
 */
export function findProgram(...names: string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return names
    .flatMap((name) => {
      const named = process.env[examples[name]?.variable ?? '']
      return [...(named ? [named] : []), ...folders.map((folder) => join(folder, name))].filter(
        (file) => existsSync(file) && isRecent(file, examples[name]?.minVersion)
      )
    })
    .at(0)
}

/** A PATH on which the examples' programs are the ones that are recent enough, and node is the one that runs. */
export function createPath(...first: string[]): string {
  const programs = Object.keys(examples).flatMap((name) => findProgram(name) ?? [])
  const folders = [...programs, process.execPath].map((file) => dirname(file))
  return [...first, ...folders, process.env.PATH ?? ''].join(delimiter)
}

function isRecent(file: string, minVersion: string | undefined): boolean {
  if (minVersion === undefined) return true
  // What "go install" builds does not know its version.
  const version = /\d+\.\d+\.\d+/.exec(execFileSync(file, ['version'], { encoding: 'utf8' }))?.[0] ?? minVersion
  return version.localeCompare(minVersion, 'en', { numeric: true }) >= 0
}
