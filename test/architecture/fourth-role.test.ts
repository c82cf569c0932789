import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { registerAdmin } from '../support/admin.ts'
import { call, logIn, registerPerson, startSession } from '../support/client.ts'
import { gatehouse, serve } from '../support/command.ts'
import { createFolder, startService } from '../support/service.ts'
import { post } from '../support/service-client.ts'

const root = resolve(import.meta.dirname, '../..')
const sources =
  'src plugins routes cli app.ts server.ts migrations package.json tsconfig.json drizzle.config.ts openapi.json'

/** A copy of this project whose list of roles has one more, and nothing else but the migration that is generated for it. */
function copyWithEditors(t: Test): string {
  const copy = join(createFolder(t), 'copy')
  mkdirSync(copy)
  for (const path of sources.split(' ')) cpSync(join(root, path), join(copy, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const list = join(copy, 'src/roles.ts')
  const [before, after] = readFileSync(list, 'utf8').split(/(?<=admin: \{ isDefault: false \})/)
  writeFileSync(list, `${before ?? ''},\n  editor: { isDefault: false }${after ?? ''}`)
  const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd: copy, encoding: 'utf8' })
  run('node_modules/drizzle-kit/bin.cjs', 'generate', '--name', 'editors')
  run('node_modules/typescript/bin/tsc', '--noEmit')
  return copy
}

await t.test(
  'a role that is added to the list alone is a role everywhere, also in a database from before',
  async (t) => {
    const before = await startService(t)
    const [admin, person] = [await registerAdmin(before), await registerPerson(before)]
    const session = await startSession(before, person)
    await before.close()

    const copy = copyWithEditors(t)
    const program = ['--import', 'tsx', join(copy, 'cli/gatehouse.ts')]
    const env = { ...before.env, PORT: '0' }
    const service = await serve(t, env, { program, cwd: copy })

    const refreshed = await call(service, 'POST /auth/refresh', { json: { refresh_token: session.refresh_token } })
    const { access_token: bearer } = refreshed.body as { access_token: string }
    t.match((await call(service, 'GET /auth/me', { bearer })).body, { is_reader: true, is_editor: false })
    t.equal((await call(service, 'GET /authz/editor', { bearer })).status, 403)

    const administrator = { bearer: await logIn(service, admin) }
    const path = `/admin/users/${String(person.id)}` as const
    const granted = await call(service, `PATCH ${path}`, { ...administrator, json: { is_editor: true } })
    t.match(granted.body, { is_editor: true, is_author: false })
    t.equal((await call(service, 'GET /auth/me', { bearer })).status, 401, 'the token from before says otherwise')
    const token = await logIn(service, person)
    t.match(JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()), {
      is_editor: true,
      scope: 'reader editor'
    })
    const asked = await call(service, 'GET /authz/editor', { bearer: token })
    t.equal(asked.status, 204)
    t.equal(asked.headers.get('x-auth-request-groups'), 'reader,editor')

    const found = await call(service, 'GET /admin/users?role=editor', administrator)
    t.same(
      (found.body as { items: { id: number }[] }).items.map(({ id }) => id),
      [person.id]
    )
    t.equal((await call(service, 'GET /admin/users?role=emperor', administrator)).status, 400)

    const made = await call(service, 'POST /admin/clients', {
      ...administrator,
      json: { name: 'press', is_editor: true }
    })
    t.equal(made.status, 201)
    const client = made.body as { id: string; client_secret: string }
    const answer = await post(service, '/oauth/introspect', { token }, { id: client.id, secret: client.client_secret })
    t.match(answer.body, { active: true, is_editor: true, is_admin: false, scope: 'reader editor' })

    const revoked = await gatehouse(t, ['users', 'revoke', person.username, 'editor'], { env, program, cwd: copy })
    t.match(revoked, { status: 0, stdout: /reader/ })
    t.equal((await call(service, 'GET /authz/editor', { bearer: await logIn(service, person) })).status, 403)
    const document = (await call(service, 'GET /openapi.json')).body as { paths: object }
    t.ok('/authz/editor' in document.paths)
  }
)
