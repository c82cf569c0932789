import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { call, logIn } from '../support/client.ts'
import { gatehouse, serve } from '../support/command.ts'
import { readSteps, runDocument } from '../support/document.ts'
import { complete, elsewhere, onService } from '../support/documents.ts'
import { freePort } from '../support/postgres-server.ts'
import { cheapHashes, createDatabase, createFolder } from '../support/service.ts'

const root = join(import.meta.dirname, '../..')

for (const page of onService) {
  await t.test(`the commands of docs/${page} do what it says, on a service with two users`, async (t) => {
    const { env, port } = await startOnPostgres(t)
    await runDocument(t, `docs/${page}`, { env, ports: { 3000: port } })
  })
}

await t.test('every command of the documents is run, or says why not', async (t) => {
  const left: string[] = []
  for (const page of readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })) {
    if (!page.endsWith('.md') || page in elsewhere) continue
    const steps = readSteps(`docs/${page}`)
    if (steps.length > 0) t.ok([...complete, ...onService].includes(page), `docs/${page} is run`)
    const fences = readFileSync(join(root, 'docs', page), 'utf8').match(/^ *```+ *(sh|bash|shell|console)\b/gm) ?? []
    t.equal(steps.length, fences.length, `each block of commands of docs/${page} is read`)
    left.push(...steps.flatMap(({ reason }) => reason ?? []))
  }
  for (const place of Object.values(elsewhere)) t.ok(existsSync(join(root, place)), place)
  for (const reason of left) t.comment(`not run: ${reason}`)
  t.equal(left.length, 6, 'blocks that are not run')
})

/** A service with a reader, and an administrator whose password and token are in the environment. */
async function startOnPostgres(t: Test) {
  const port = await freePort()
  const env = { ...cheapHashes, DATABASE_URL: await createDatabase(t), KEYS_DIR: createFolder(t), PORT: String(port) }
  const { url } = await serve(t, { ...env, ISSUER: `http://127.0.0.1:${String(port)}` })
  const PASSWORD = 'a very long first evening'
  const administrator = ['--username', 'root', '--email', 'root@example.com', '--role', 'admin']
  await gatehouse(t, ['users', 'create', ...administrator], { env, input: PASSWORD })
  await call({ url }, 'POST /auth/registration', {
    json: { username: 'carol', email: 'carol@example.com', password: 'a long and quiet evening' }
  })
  const TOKEN = await logIn({ url }, { username: 'root', password: PASSWORD })
  return { env: { ...env, PASSWORD, TOKEN }, port }
}
