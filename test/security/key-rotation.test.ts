import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { generateRefreshKey, generateSigningKey, removeKey } from '../../src/keys/key-files.ts'
import { call, registerPerson, startSession, type Tokens } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { type Service, startService } from '../support/service.ts'

const published = async (service: Service): Promise<string[]> => {
  const answer = await call(service, 'GET /.well-known/jwks.json')
  return (answer.body as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
}

const kidOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as { kid: string }).kid

await t.test('two instances that share a folder of keys', async (t) => {
  const first = await startService(t, { KEY_ACTIVATION_DELAY_SECONDS: '2' })
  const second = await startService(t, first.env)
  const person = await registerPerson(first)
  const dir = first.env.KEYS_DIR!
  const oldToken = person.token
  const oldEtag = (await call(first, 'GET /.well-known/jwks.json')).headers.get('etag')

  const made = generateSigningKey(dir)

  await t.test('publish a key that is dropped in before it signs, without a restart', async (t) => {
    for (const instance of [first, second]) {
      await eventually(t, 'published', async () => (await published(instance)).includes(made.kid))
    }
    const session = await startSession(first, person)
    t.equal(kidOf(session.access_token), kidOf(oldToken), 'the old key still signs')
    t.not((await call(first, 'GET /.well-known/jwks.json')).headers.get('etag'), oldEtag)
  })

  await t.test('sign with it after the delay, and go on taking what the old one signed', async (t) => {
    let session = await startSession(first, person)
    await eventually(t, 'the new key signs', async () => {
      const { refresh_token } = session
      session = (await call(first, 'POST /auth/refresh', { json: { refresh_token } })).body as Tokens
      return kidOf(session.access_token) === made.kid
    })
    for (const instance of [first, second]) {
      t.equal((await call(instance, 'GET /authz', { bearer: session.access_token })).status, 204)
      t.equal((await call(instance, 'GET /authz', { bearer: oldToken })).status, 204)
    }
  })

  await t.test('refuse at once what a key signed whose file was taken away', async (t) => {
    t.ok(removeKey(dir, kidOf(oldToken)))
    for (const instance of [first, second]) {
      await eventually(
        t,
        'refused',
        async () => (await call(instance, 'GET /authz', { bearer: oldToken })).status === 401
      )
    }
    t.same(await published(first), [made.kid])
    const restarted = await startService(t, first.env)
    t.same(await published(restarted), [made.kid], 'a restart keeps the key')
  })

  await t.test('keep the keys they have while a file cannot be read, and say so', async (t) => {
    const session = await startSession(first, person)
    writeFileSync(join(dir, 'broken.pem'), 'not a key')
    await eventually(t, 'logged', () =>
      Promise.resolve(first.log.some((line) => line.includes('the keys cannot be read')))
    )
    t.equal((await call(first, 'GET /authz', { bearer: session.access_token })).status, 204)
  })
})

await t.test('refresh tokens live through the rotation of their key, until its file is taken away', async (t) => {
  const service = await startService(t, { KEY_ACTIVATION_DELAY_SECONDS: '0' })
  const dir = service.env.KEYS_DIR!
  const person = await registerPerson(service)
  const before = await startSession(service, person)
  const stays = await startSession(service, person)
  const oldKid = service.app.keyring.current().refreshSigning.kid
  const made = generateRefreshKey(dir)
  await eventually(t, 'the new key is in use', () =>
    Promise.resolve(service.app.keyring.current().refreshSigning.kid === made.kid)
  )
  const refresh = (refresh_token: string) => call(service, 'POST /auth/refresh', { json: { refresh_token } })
  const after = await refresh(before.refresh_token)
  t.equal(after.status, 200)
  t.ok(removeKey(dir, oldKid))
  await eventually(t, 'the old key is gone', async () => (await refresh(stays.refresh_token)).status === 401)
  t.equal((await refresh((after.body as Tokens).refresh_token)).status, 200)
})

await t.test('rotating every half second under load refuses no good token', async (t) => {
  const first = await startService(t, { KEY_ACTIVATION_DELAY_SECONDS: '0' })
  const second = await startService(t, first.env)
  const instances = [first, second]
  const person = await registerPerson(first)
  const dir = first.env.KEYS_DIR!
  let rotating = true
  let refused = 0
  let asked = 0
  const kids = new Set<string>()
  const verify = async (offset: number) => {
    for (let n = offset; rotating; n++) {
      const session = await startSession(instances[n % 2]!, person)
      kids.add(kidOf(session.access_token))
      asked++
      if ((await call(instances[(n + 1) % 2]!, 'GET /authz', { bearer: session.access_token })).status !== 204)
        refused++
    }
  }
  const load = Promise.all([verify(0), verify(1), verify(0), verify(1)])
  // Until tokens of several keys have crossed from one instance to the other.
  for (let round = 0; kids.size < 5 && round < 60; round++) {
    generateSigningKey(dir)
    await delay(500)
  }
  rotating = false
  await load
  t.equal(refused, 0, `of ${String(asked)}`)
  t.ok(kids.size >= 5, `${String(kids.size)} keys have signed`)
})

await t.test('keys are made readable by their owner alone', async (t) => {
  const service = await startService(t)
  const dir = service.env.KEYS_DIR!
  const files = readdirSync(dir)
  t.match(files.sort(), [/./, /./])
  for (const file of files) t.equal(statSync(join(dir, file)).mode & 0o777, 0o600, file)
})
