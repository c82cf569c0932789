import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type Serving, startServing } from './serving.ts'

// Whether what others generate from the documents works: openapi-python-client from 3.1 and oapi-codegen from 3.0, each
// without a warning and with every operation, and both drive a running service. Run it by "npm run check:generators".
// It needs python3 and go, and fetches the generators, in the versions that scripts/generators pins.
const run = promisify(execFile)
const generators = resolve('scripts/generators')
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-generators-'))
const document = JSON.parse(readFileSync('openapi.json', 'utf8')) as {
  paths: Record<string, Record<string, { operationId: string }>>
}
const operations = Object.values(document.paths)
  .flatMap((path) => Object.values(path))
  .map(({ operationId }) => operationId)

let service: Serving | undefined
try {
  service = await startServing(folder, [`--import=${import.meta.resolve('tsx')}`, resolve('src/cli.ts'), 'serve'])
  await Promise.all([python(service.url), go(service.url)])
} finally {
  await service?.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function python(url: string): Promise<void> {
  const bin = join(folder, 'python', 'bin')
  const env = { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) }
  const requirements = join(generators, 'requirements.txt')
  await run('python3', ['-m', 'venv', join(folder, 'python')])
  await run(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', requirements])

  const generated = join(folder, 'python-client')
  const generate = ['generate', '--path', 'openapi.json', '--output-path', generated, '--fail-on-warning']
  await run(join(bin, 'openapi-python-client'), generate, { env })
  const files = readdirSync(join(generated, 'gatehouse_client/api'), { recursive: true, encoding: 'utf8' }).join('\n')
  everyOperation('Python', (id) =>
    files.includes(`/${id.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}.py`)
  )
  await run(join(bin, 'python'), [join(generators, 'drive.py'), url], { env: { ...env, PYTHONPATH: generated } })
  console.log(`openapi-python-client: ${String(operations.length)} operations, and those that were tried work`)
}

async function go(url: string): Promise<void> {
  const cwd = join(folder, 'go')
  cpSync(join(generators, 'go'), cwd, { recursive: true })
  mkdirSync(join(cwd, 'api'))
  const generate = ['-generate', 'types,client', '-package', 'api', '-o', 'api/api.go', resolve('openapi-3.0.json')]
  const { stderr } = await run('go', ['tool', 'oapi-codegen', ...generate], { cwd })
  if (/warning/i.test(stderr)) throw new Error(stderr)
  const text = readFileSync(join(cwd, 'api/api.go'), 'utf8')
  // A method that takes a form says so in its name.
  everyOperation('Go', (id) => new RegExp(`\\) ${id}(WithFormdataBody)?WithResponse\\(`, 'i').test(text))
  await run('go', ['vet', './...'], { cwd })
  await run('go', ['run', '.', url], { cwd })
  console.log(`oapi-codegen: ${String(operations.length)} operations, and those that were tried work`)
}

function everyOperation(language: string, has: (id: string) => boolean): void {
  const lost = operations.filter((id) => !has(id))
  if (lost.length > 0) throw new Error(`${language}: the generated client lacks ${lost.join(', ')}`)
}
