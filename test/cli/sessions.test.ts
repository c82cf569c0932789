import t from 'tap'
import { call, logIn, registerPerson } from '../support/client.ts'
import { gatehouse } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { kinds, startService } from '../support/service.ts'

await t.test(
  'sessions of a user are listed and ended on the command line, which a running service follows',
  async (t) => {
    const service = await startService(t)
    const env = { DATABASE_URL: service.env.DATABASE_URL! }
    const ada = await registerPerson(service, 'ada')
    const bob = await registerPerson(service, 'bob')
    const second = await logIn(service, ada)
    const sessions = (...args: string[]) => gatehouse(t, ['sessions', ...args], { env })
    const works = async (bearer: string) => (await call(service, 'GET /auth/me', { bearer })).status === 200

    const asJson = await sessions('list', ada.email, '--json')
    const [latest, first] = JSON.parse(asJson.stdout) as { id: string; ip: string; current?: boolean }[]
    t.match([latest, first], [{ ip: '127.0.0.1' }, { ip: '127.0.0.1' }])
    t.notOk('current' in latest!)
    const asText = (await sessions('list', ada.username)).stdout.trimEnd().split('\n')
    t.match(asText[0], /^ID +CREATED +LAST USED +EXPIRES +IP +CLIENT$/)
    t.match(asText[1], new RegExp(`^${latest!.id}  \\S+Z  \\S+Z  \\S+Z  127\\.0\\.0\\.1  `))
    t.equal(asText.length, 3)

    t.match(await sessions('end', bob.username, latest!.id), {
      status: 1,
      stdout: '',
      stderr: `gatehouse: There is no session ${latest!.id} of ${bob.username}\n`
    })
    t.match(await sessions('end', ada.username, 'first'), { status: 1, stderr: /There is no session first of / })
    t.match(await sessions('end', ada.username, latest!.id, '--all'), { status: 2, stderr: /Name a session, or all/ })
    t.strictSame(await sessions('end', ada.username, latest!.id), {
      status: 0,
      stdout: 'Ended 1 session\n',
      stderr: ''
    })
    await eventually(t, 'the session has ended', async () => !(await works(second)))
    t.same([await works(ada.token), await works(bob.token)], [true, true])

    t.match(await sessions('end', `id:${String(ada.id)}`, '--all', '--json'), { status: 0, stdout: '{"ended":1}\n' })
    await eventually(t, 'all sessions have ended', async () => !(await works(ada.token)))
    t.ok(await works(bob.token))
    t.equal((await sessions('list', ada.username, '--json')).stdout, '[]\n')
    t.match(await sessions('list', 'nobody'), { status: 1, stderr: 'gatehouse: There is no user nobody\n' })
  }
)

for (const kind of kinds) {
  await t.test(`sessions are counted by the limits that settings name, on ${kind}`, async (t) => {
    const service = await startService(t, {}, kind)
    await registerPerson(service, 'ada')
    await service.close()
    const env = { DATABASE_URL: service.env.DATABASE_URL!, REFRESH_TOKEN_EXPIRE_DAYS: '1', SESSION_MAX_DAYS: '2' }
    const { stdout } = await gatehouse(t, ['sessions', 'list', 'id:1', '--json'], { env })
    const [session] = JSON.parse(stdout) as { created_at: string; expires_at: string }[]
    const days = (Date.parse(session!.expires_at) - Date.parse(session!.created_at)) / 86_400_000
    t.ok(days > 0.9 && days < 1.1, `${String(days)} days`)
  })
}
