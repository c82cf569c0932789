import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import postgres from 'postgres'
import type { Test } from 'tap'
import { buildApp, type Timeouts } from '../../app.ts'
import { readConfig } from '../../src/config/config.ts'
import { readShared } from './postgres-server.ts'
import { scratch } from './scratch.ts'

export type Kind = 'postgres' | 'embedded'

/** Both databases, for suites that speak HTTP and must not see a difference. */
export const kinds: Kind[] = ['postgres', 'embedded']

/** A running service, as its clients and its operator see it. */
export interface Service {
  url: string
  app: FastifyInstance
  /** Every line it has logged so far. */
  log: string[]
  /** The environment it runs with: start a second instance on it to have two of the same service. */
  env: Record<string, string>
  close: () => Promise<void>
}

/** Cheap hashes, so that the tests' time goes to what they test. */
export const cheapHashes = { ARGON2_MEMORY_KIB: '8', ARGON2_ITERATIONS: '1' }

/** An empty, migrated database of the given kind, gone when the test ends. */
export async function createDatabase(t: Test, kind: Kind = 'postgres'): Promise<string> {
  const shared = readShared()
  if (kind === 'embedded') {
    while (!existsSync(shared.embedded)) await delay(20)
    const folder = mkdtempSync(join(scratch, 'gatehouse-test-'))
    cpSync(shared.embedded, join(folder, 'data'), { recursive: true })
    t.teardown(() => {
      rmSync(folder, { recursive: true, force: true })
    })
    return `pglite:${join(folder, 'data')}`
  }
  return copyDatabase(t, shared.template)
}

/** A PostgreSQL database without a schema, gone when the test ends. */
export const createEmptyDatabase = (t: Test): Promise<string> => copyDatabase(t, 'template0')

async function copyDatabase(t: Test, template: string): Promise<string> {
  const name = `gatehouse_test_${randomBytes(6).toString('hex')}`
  await withAdmin((admin) => admin.unsafe(`create database ${name} template ${template}`))
  t.teardown(() => withAdmin((admin) => admin.unsafe(`drop database if exists ${name} with (force)`)))
  const url = new URL(readShared().adminUrl)
  url.pathname = name
  return url.href
}

/** An empty folder for keys, gone when the test ends. */
export function createFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/**
 * Starts a service on a port of its own, in this process, with a fresh database and fresh keys unless `env` names others.
 * It is closed when the test ends.
 */
export async function startService(
  t: Test,
  env: Record<string, string> = {},
  kind: Kind = 'postgres',
  overrides: { timeouts?: Timeouts } = {}
): Promise<Service> {
  const complete = {
    ...cheapHashes,
    HOST: '127.0.0.1',
    PORT: '0',
    ISSUER: 'http://gatehouse.test',
    LOG_LEVEL: 'debug',
    RATE_LIMIT: 'off',
    DATABASE_URL: env.DATABASE_URL ?? (await createDatabase(t, kind)),
    KEYS_DIR: env.KEYS_DIR ?? createFolder(t),
    ...env
  }
  const log: string[] = []
  const app = await buildApp(readConfig(complete), { ...overrides, logStream: { write: (line) => log.push(line) } })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  // Teardowns run last in, first out: the service closes before its database is dropped.
  t.teardown(() => app.close())
  return { url, app, log, env: complete, close: () => app.close() }
}

/** Runs SQL on the service's own PostgreSQL database, past the service. */
export async function sql<T extends object = Record<string, unknown>>(
  service: Pick<Service, 'env'>,
  query: string,
  parameters: (string | number | boolean | null)[] = []
): Promise<T[]> {
  const client = postgres(service.env.DATABASE_URL ?? '', { max: 1, onnotice: () => undefined })
  try {
    return [...(await client.unsafe<T[]>(query, parameters))]
  } finally {
    await client.end()
  }
}

async function withAdmin(work: (admin: postgres.Sql) => Promise<unknown>): Promise<void> {
  const admin = postgres(readShared().adminUrl, { max: 1, onnotice: () => undefined })
  try {
    await work(admin)
  } finally {
    await admin.end()
  }
}
