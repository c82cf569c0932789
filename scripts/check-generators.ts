import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type Serving, startServing } from './serving.ts'

// Whether what others generate from the documents works, each with every operation: openapi-python-client,
// openapi-generator's typescript-fetch and openapi-typescript from 3.1, oapi-codegen and ogen from 3.0. Each drives a
// running service, and ends sessions, accounts and clients in every way but by a mailed link. Run it by
// "npm run check:generators". It needs python3 and go, and java and mvn for openapi-generator, which is left out without
// them. It fetches the generators, in the versions that are pinned here and in scripts/generators.
const openapiGenerator = 'org.openapitools:openapi-generator-cli:7.25.0'

const run = promisify(execFile)
const generators = resolve('scripts/generators')
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-generators-'))
const tsx = `--import=${import.meta.resolve('tsx')}`
const document = JSON.parse(readFileSync('openapi.json', 'utf8')) as {
  paths: Record<string, Record<string, { operationId: string }>>
}
const operations = Object.values(document.paths)
  .flatMap((path) => Object.values(path))
  .map(({ operationId }) => operationId)

const administrator = ['caretaker', 'the keeper of all the keys'] as const
let service: Serving | undefined
try {
  service = await startServing(folder, [tsx, resolve('cli/gatehouse.ts'), 'serve'], {
    BOOTSTRAP_ADMIN_USERNAME: administrator[0],
    BOOTSTRAP_ADMIN_EMAIL: 'caretaker@example.com',
    BOOTSTRAP_ADMIN_PASSWORD: administrator[1],
    // The drives register more users from one address than strangers may.
    RATE_LIMIT: 'off'
  })
  const target = [service.url, ...administrator]
  await Promise.all([python(target), go(target), typescript(target)])
} finally {
  await service?.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function python(target: string[]): Promise<void> {
  const bin = join(folder, 'python', 'bin')
  const env = { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) }
  const requirements = join(generators, 'python', 'requirements.txt')
  await run('python3', ['-m', 'venv', join(folder, 'python')])
  await run(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', requirements])

  const generated = join(folder, 'python-client')
  const generate = ['generate', '--path', 'openapi.json', '--output-path', generated, '--fail-on-warning']
  await run(join(bin, 'openapi-python-client'), generate, { env })
  const files = readdirSync(join(generated, 'gatehouse_client/api'), { recursive: true, encoding: 'utf8' }).join('\n')
  everyOperation('openapi-python-client', (id) =>
    files.includes(`/${id.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}.py`)
  )
  for (const script of ['first_steps.py', 'endings.py']) {
    const args = [join(generators, 'python', script), ...target]
    await run(join(bin, 'python'), args, { env: { ...env, PYTHONPATH: generated } })
  }
  works('openapi-python-client')
}

async function go(target: string[]): Promise<void> {
  const cwd = join(folder, 'go')
  const source = resolve('openapi-3.0.json')
  cpSync(join(generators, 'go'), cwd, { recursive: true })
  mkdirSync(join(cwd, 'api'))
  const generate = ['-generate', 'types,client', '-package', 'api', '-o', 'api/api.go', source]
  const { stderr } = await run('go', ['tool', 'oapi-codegen', ...generate], { cwd })
  if (/warning/i.test(stderr)) throw new Error(stderr)
  const text = readFileSync(join(cwd, 'api/api.go'), 'utf8')
  // A method that takes a form says so in its name.
  everyOperation('oapi-codegen', (id) => new RegExp(`\\) ${id}(WithFormdataBody)?WithResponse\\(`, 'i').test(text))

  await run('go', ['tool', 'ogen', '--config', 'ogen.yml', '--target', 'ogen', '--package', 'ogen', source], { cwd })
  const client = readFileSync(join(cwd, 'ogen/oas_client_gen.go'), 'utf8')
  everyOperation('ogen', (id) => new RegExp(`^func \\(c \\*Client\\) ${id}\\(`, 'im').test(client))

  await run('go', ['vet', '.'], { cwd })
  await run('go', ['run', '.', ...target], { cwd })
  works('oapi-codegen')
  works('ogen')
}

async function typescript(target: string[]): Promise<void> {
  // Its types are those of our own client: "npm run check" makes sure that they are the document's, and checks the drive by them.
  await run(process.execPath, [tsx, join(generators, 'typescript/openapi-fetch.ts'), ...target])
  works('openapi-typescript with openapi-fetch')

  if (!(await has('java')) || !(await has('mvn'))) {
    console.log('openapi-generator: LEFT OUT, java or mvn is not here')
    return
  }
  const copy = ['-q', '-B', 'dependency:copy', `-Dartifact=${openapiGenerator}`, `-DoutputDirectory=${folder}`]
  await run('mvn', copy, { cwd: folder })
  const cwd = join(folder, 'typescript-fetch')
  cpSync(join(generators, 'typescript/openapi-generator'), cwd, { recursive: true })
  cpSync(join(generators, 'typescript/endings.ts'), join(cwd, 'endings.ts'))
  symlinkSync(resolve('node_modules'), join(cwd, 'node_modules'))
  writeFileSync(join(cwd, 'package.json'), '{ "type": "module" }')
  const jar = join(folder, `${openapiGenerator.split(':').slice(1).join('-')}.jar`)
  const generate = ['generate', '-g', 'typescript-fetch', '-i', resolve('openapi.json'), '-o', 'generated']
  await run('java', ['-jar', jar, ...generate], { cwd, maxBuffer: 2 ** 26 })
  const apis = readdirSync(join(cwd, 'generated/apis')).map((file) =>
    readFileSync(join(cwd, 'generated/apis', file), 'utf8')
  )
  everyOperation("openapi-generator's typescript-fetch", (id) => apis.some((text) => text.includes(`async ${id}(`)))
  await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', cwd])
  await run(process.execPath, [tsx, join(cwd, 'drive.ts'), ...target])
  works("openapi-generator's typescript-fetch")
}

async function has(command: string): Promise<boolean> {
  return run(command, ['--version']).then(
    () => true,
    () => false
  )
}

function works(generator: string): void {
  console.log(`${generator}: ${String(operations.length)} operations, and what was ended by it is refused`)
}

function everyOperation(generator: string, has: (id: string) => boolean): void {
  const lost = operations.filter((id) => !has(id))
  if (lost.length > 0) throw new Error(`${generator}: the generated client lacks ${lost.join(', ')}`)
}
