import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { relative } from 'node:path'
import drizzle from '../drizzle.config.ts'
import { generatedFiles } from './generated-files.ts'

// What is generated and committed must be what would be generated now.
const faults: string[] = []

for (const [path, text] of Object.entries(await generatedFiles())) {
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    faults.push(`${path} is not what the code says: run "npm run generate:openapi" and commit it`)
  }
}

// The packages of the service and for its consumers are released together.
const [version, clientVersion] = ['package.json', 'clients/typescript/package.json'].map(
  (path) => (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
)
if (clientVersion !== version) {
  faults.push(
    `clients/typescript has the version ${String(clientVersion)}: set both by "npm version ${String(version)} --workspaces --include-workspace-root"`
  )
}

// drizzle-kit takes only folders below the working directory.
const copy = relative('.', mkdtempSync('.generated-'))
try {
  cpSync('migrations', copy, { recursive: true })
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      'node_modules/drizzle-kit/bin.cjs',
      'generate',
      `--dialect=${drizzle.dialect}`,
      `--schema=${String(drizzle.schema)}`,
      `--out=${copy}`
    ],
    { encoding: 'utf8' }
  )
  // It also ends with 0 where it would have to ask whether a column is new or renamed.
  if (status !== 0 || !stdout.includes('No schema changes')) {
    faults.push(
      `migrations/ does not lead to src/database/schema: run "npm run generate:migration" and commit it\n${stdout}${stderr}`
    )
  }
} finally {
  rmSync(copy, { recursive: true })
}

for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1
