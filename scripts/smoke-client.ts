import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startServing } from './serving.ts'

// Whether the package for consumers works where it is installed from its tarball into an empty folder: without a warning, without
// the frameworks that it knows, for a strict compiler that checks its declarations as well, and at run time beside a
// running Gatehouse. Run it by "npm run smoke", after "npm run build".
const issuer = 'http://gatehouse.test'
const npm = [process.env.npm_execpath ?? '']
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-client-'))
const app = join(folder, 'app')
const { devDependencies, dependencies, version } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

try {
  run('clients/typescript', [...npm, 'pack', '--pack-destination', folder])
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }')
  const warnings = install(join(folder, `gatehouse-auth-client-${version}.tgz`))
  if (warnings !== '') throw new Error(`The tarball does not install cleanly:\n${warnings}`)
  for (const name of ['fastify', 'express']) {
    if (existsSync(join(app, 'node_modules', name)))
      throw new Error(`The package brings ${name}, which is its user's choice`)
  }
  for (const name of ['README.md', 'LICENSE']) {
    if (!existsSync(join(app, 'node_modules/gatehouse-auth-client', name)))
      throw new Error(`The tarball has no ${name}`)
  }
  const pinned = { ...dependencies, ...devDependencies }
  const frameworks = ['fastify', 'express', '@types/express', '@types/node', 'typescript']
  const more = install(...frameworks.map((name) => `${name}@${pinned[name] ?? ''}`))
  if (/ERESOLVE|peer/.test(more)) throw new Error(`The frameworks do not go with the package:\n${more}`)
  cpSync('scripts/consumer.ts', join(app, 'consumer.ts'))
  for (const skipLibCheck of ['true', 'false']) {
    const options = ['--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--types', 'node']
    run(app, ['node_modules/typescript/bin/tsc', ...options, '--skipLibCheck', skipLibCheck, 'consumer.ts'])
  }
  const service = await startServing(folder, [resolve('dist/cli/gatehouse.js'), 'serve'], { ISSUER: issuer })
  try {
    run(app, ['consumer.js', service.url, issuer])
  } finally {
    await service.stop()
  }
  console.log('the installed client: compiles, guards Fastify and Express, and calls Gatehouse')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** @returns what it wrote on standard error, where npm warns */
function run(cwd: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${String(status)}:\n${stdout}${stderr}`)
  return stderr
}

/** @returns what npm warns of, also where a silent npm runs this */
function install(...packages: string[]): string {
  return run(app, [...npm, 'install', '--loglevel=warn', '--no-audit', '--no-fund', ...packages])
}
