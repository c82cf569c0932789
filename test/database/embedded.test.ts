import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openDatabase } from '../../src/database/open.ts'
import { commandLine, gatehouse } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { createDatabase, createFolder, startService } from '../support/service.ts'

const open = (url: string) => openDatabase({ url, listenUrl: url, poolSize: 1 })
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

await t.test('a new embedded database and its lock are closed to other users', async (t) => {
  const data = join(createFolder(t), 'new', 'data')
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  const database = await open(`pglite:${data}`)
  t.equal(modeOf(data), '700')
  t.equal(modeOf(join(data, '..')), '700')
  t.equal(modeOf(`${data}.lock`), '600')
  await database.close()

  const KEYS_DIR = createFolder(t)
  const cwd = createFolder(t)
  await gatehouse(t, ['migrate'], { cwd, env: { KEYS_DIR } })
  t.equal(modeOf(join(cwd, 'data')), '700')
  t.equal(modeOf(join(cwd, 'data/base')), '700', 'commands open nothing that they make')
})

await t.test('an embedded database that other users may enter is served with a warning', async (t) => {
  const closed = await startService(t, {}, 'embedded')
  const warnings = (log: string[]) => log.filter((line) => line.includes('other users of this machine may enter'))
  t.same(warnings(closed.log), [])
  await closed.close()
  const data = closed.env.DATABASE_URL!.slice('pglite:'.length)
  chmodSync(data, 0o755)
  const opened = await startService(t, closed.env, 'embedded')
  t.equal(warnings(opened.log).length, 1)
  t.match(JSON.parse(warnings(opened.log)[0]!), { level: 40, msg: new RegExp(`chmod 700 ${data}$`) })
})

await t.test('a folder that may not be written in is told as such', async (t) => {
  // Nobody makes files in /sys, root neither.
  const folder = process.getuid?.() === 0 ? '/sys' : createFolder(t)
  if (folder !== '/sys') chmodSync(folder, 0o500)
  const { status, stderr } = await gatehouse(t, ['migrate'], { env: { DATABASE_URL: `pglite:${folder}/data` } })
  t.equal(status, 1)
  t.match(
    stderr,
    /^gatehouse: Cannot use \S+\/data\.lock \(open: .*\): check that the path exists and who may .* write it/
  )
  t.notMatch(stderr, /ENOENT/)
})

await t.test('a database that was never finished is made anew, by what makes one', async (t) => {
  const cwd = createFolder(t)
  const data = join(cwd, 'data')
  const making = spawn(process.execPath, [...commandLine, 'migrate'], { cwd, stdio: 'ignore' })
  const ended = new Promise((resolve) => making.once('exit', resolve))
  await eventually(t, 'its first files are there', async () => existsSync(data) && readdirSync(data).length > 1)
  making.kill('SIGKILL')
  await ended
  t.notOk(existsSync(join(data, 'PG_VERSION')) && !existsSync(join(data, 'UNFINISHED')), 'it was not finished')
  t.match(await gatehouse(t, ['users', 'list'], { cwd }), { status: 1, stderr: /There is no database in/ })
  t.equal((await gatehouse(t, ['migrate'], { cwd })).status, 0)
  t.match(await gatehouse(t, ['users', 'list'], { cwd }), { status: 0, stdout: /^ID / })
})

await t.test('a lock that names no process, or a process that is gone, locks nothing', async (t) => {
  const data = join(createFolder(t), 'data')
  const gone = spawn(process.execPath, ['--version'])
  await new Promise((resolve) => gone.once('exit', resolve))
  for (const content of ['', '0', 'none', String(gone.pid)]) {
    writeFileSync(`${data}.lock`, content)
    const database = await open(`pglite:${data}`)
    await database.close()
    t.notOk(existsSync(`${data}.lock`), content)
  }
})

await t.test('no database is made over what is left of another', async (t) => {
  const url = await createDatabase(t, 'embedded')
  const data = url.slice('pglite:'.length)
  rmSync(join(data, 'PG_VERSION'))
  const left = readdirSync(data)
  const { status, stderr } = await gatehouse(t, ['migrate'], { env: { DATABASE_URL: url } })
  t.equal(status, 1)
  t.match(
    stderr,
    /^gatehouse: The folder .* holds files but no database .*: bring it back from a backup, or move it away/
  )
  t.same(readdirSync(data), left)
  t.notOk(readdirSync(join(data, '..')).includes('data.lock'), 'and the folder is not kept locked')

  const other = join(createFolder(t), 'other')
  mkdirSync(other)
  writeFileSync(join(other, 'notes.txt'), 'mine')
  await t.rejects(open(`pglite:${other}`), { message: /holds files but no database/ })
  rmSync(join(other, 'notes.txt'))
  await (await open(`pglite:${other}`)).close()
  t.pass('an empty folder is as good as none')
})
