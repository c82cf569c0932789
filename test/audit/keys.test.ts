import t from 'tap'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../support/eventually.ts'
import { sql, startService } from '../support/service.ts'
import { generateSigningKey } from '../../src/keys/key-files.ts'

await t.test(
  'each key is recorded when it comes to sign and when it is trusted no more, once over all instances',
  async (t) => {
    const first = await startService(t, { KEY_ACTIVATION_DELAY_SECONDS: '0' })
    await Promise.all([startService(t, first.env), startService(t, first.env)])
    const events = () =>
      sql<{ type: string; kid: string }>(
        first,
        `select type, details ->> 'kid' as kid from audit_events where type like 'key.%' order by id`
      )
    const atStart = await events()
    t.strictSame(
      atStart.map(({ type }) => type),
      ['key.activated', 'key.activated'],
      'one key for access tokens, one for refresh tokens'
    )
    const old = first.app.keyring.current().signing.kid
    const { kid } = generateSigningKey(first.env.KEYS_DIR!)
    const has = async (type: string, which: string) =>
      (await events()).some((event) => event.type === type && event.kid === which)
    await eventually(t, 'the new key is recorded', () => has('key.activated', kid))
    rmSync(join(first.env.KEYS_DIR!, `${old}.pem`))
    await eventually(t, 'so is the end of the old one', () => has('key.retired', old))
    await startService(t, first.env)
    t.equal((await events()).length, 4)
  }
)
