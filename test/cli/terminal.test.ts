import { spawn, spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { call, logIn, registerPerson } from '../support/client.ts'
import { commandLine } from '../support/command.ts'
import { eventuallyAnswers } from '../support/eventually.ts'
import { cheapHashes, createFolder, startService } from '../support/service.ts'

const password = 'a long and quiet evening'
const hasTerminals = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout.includes('util-linux')

/** Runs a command in a terminal; each answer is typed once its question is there. */
async function typeInto(
  t: Test,
  env: Record<string, string>,
  args: string[],
  answers: [question: string, typed: string][]
) {
  const quoted = [process.execPath, ...commandLine, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['--quiet', '--return', '--command', quoted, '/dev/null'], {
    cwd: createFolder(t),
    env: { PATH: process.env.PATH ?? '', ...cheapHashes, ...env },
    stdio: ['pipe', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const waiting = [...answers]
  let printed = ''
  let read = 0
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk
    const [question = '', typed] = waiting[0] ?? []
    if (typed === undefined || !printed.slice(read).includes(question)) return
    read = printed.length
    waiting.shift()
    child.stdin.write(typed)
  })
  const status = await new Promise((resolve) => child.once('close', resolve))
  return { status, printed }
}

await t.test('at a terminal passwords are asked for without echo, and deletion is confirmed', async (t) => {
  if (!hasTerminals) {
    t.comment('without the script of util-linux: install it to have questions tried')
    return
  }
  const service = await startService(t)
  const env = { DATABASE_URL: service.env.DATABASE_URL! }
  const ada = await registerPerson(service, 'ada')
  const type = (args: string[], ...answers: [question: string, typed: string][]) => typeInto(t, env, args, answers)

  const set = ['users', 'set-password', ada.username]
  const differ = await type(set, ['Password: ', `${password}\r`], ['Again: ', 'another\r'])
  t.match(differ, { status: 1, printed: /The two passwords differ/ })
  const given = await type(set, ['Password: ', `${password}\r`], ['Again: ', `${password}\r`])
  t.match(given, { status: 0, printed: /every session has ended/ })
  for (const { printed } of [differ, given]) t.notMatch(printed, password)
  t.match(await type(set, ['Password: ', '\u0003']), { status: 1, printed: /nothing was changed/ })
  const token = await logIn(service, { username: ada.username, password })

  const remove = ['users', 'delete', ada.username]
  const question = `Delete ${ada.username} <${ada.email}>? [y/N] `
  for (const answer of ['\r', 'no\r', '\u0004', '\u0003']) {
    t.match(await type(remove, [question, answer]), { status: 1, printed: /Nothing was changed/ })
  }
  t.equal((await call(service, 'GET /auth/me', { bearer: token })).status, 200)
  t.match(await type(remove, [question, 'y\r']), { status: 0, printed: /Deleted / })
  await eventuallyAnswers(t, 401, () => call(service, 'GET /auth/me', { bearer: token }))
})
