import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { applyMigrations } from '../../src/database/migrate.ts'
import { openDatabase } from '../../src/database/open.ts'
import { prepareSharedFolder, type SharedDatabases, sharedFile, startPostgres } from './postgres-server.ts'
import { scratch } from './scratch.ts'

// Holds the databases of a test run, and takes them down when the run ends, however it ends.
const runner = Number(process.argv[2])
const external = process.env.TEST_DATABASE_URL

prepareSharedFolder()
const server = external === undefined ? await startPostgres() : undefined
const adminUrl = external ?? server?.url ?? ''
const template = `gatehouse_template_${String(process.pid)}`
const embeddedFolder = mkdtempSync(join(scratch, 'gatehouse-embedded-'))
const embedded = join(embeddedFolder, 'template')

process.on('SIGTERM', () => void stop(0))
setInterval(() => {
  if (!isRunning(runner)) void stop(0)
}, 500)
try {
  await makeTemplate()
  const shared: SharedDatabases = { adminUrl, template, embedded, supervisor: process.pid }
  writeFileSync(`${sharedFile}.partial`, JSON.stringify(shared))
  renameSync(`${sharedFile}.partial`, sharedFile)
  // The first tests run meanwhile: it keeps this thread for seconds.
  await makeEmbedded()
} catch (error) {
  console.error(error)
  await stop(1)
}

async function makeTemplate(): Promise<void> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined })
  await admin.unsafe(`create database ${template}`)
  await admin.end()
  const url = new URL(adminUrl)
  url.pathname = template
  const database = await openDatabase({ url: url.href, listenUrl: url.href, poolSize: 1 })
  await applyMigrations(database)
  await database.close()
}

async function makeEmbedded(): Promise<void> {
  const folder = `${embedded}.partial`
  const database = await openDatabase({ url: `pglite:${folder}`, listenUrl: '', poolSize: 1 })
  await applyMigrations(database)
  // No service makes a database: without the templates there is half as much to copy for each.
  await database.db.execute(`update pg_database set datistemplate = false`)
  for (const name of ['template0', 'template1']) await database.db.execute(`drop database ${name}`)
  await database.close()
  renameSync(folder, embedded)
}

async function stop(status: number): Promise<void> {
  if (external !== undefined) {
    const admin = postgres(external, { max: 1, onnotice: () => undefined })
    await admin.unsafe(`drop database if exists ${template} with (force)`)
    await admin.end()
  }
  await server?.stop()
  rmSync(embeddedFolder, { recursive: true, force: true })
  rmSync(sharedFile, { force: true })
  process.exit(status)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
