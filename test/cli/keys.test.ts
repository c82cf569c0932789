import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { generateSigningKey } from '../../src/keys/key-files.ts'
import { gatehouse } from '../support/command.ts'
import { createFolder } from '../support/service.ts'

interface ListedKey {
  kid: string
  kind: string
  state: string
}

await t.test(
  'keys generate makes a key of each kind that its owner alone can read, and keys list shows them',
  async (t) => {
    const KEYS_DIR = join(createFolder(t), 'deeper', 'keys')
    const env = { KEYS_DIR, NODE_ENV: 'production' }
    const made = await gatehouse(t, ['keys', 'generate', '--json'], { env })
    t.equal(made.status, 0)
    const [access = '', refresh = ''] = (JSON.parse(made.stdout) as { made: string[] }).made
    t.strictSame(readdirSync(KEYS_DIR).sort(), [`${access}.pem`, `${refresh}.refresh-key`].sort())
    for (const file of readdirSync(KEYS_DIR)) t.equal(statSync(join(KEYS_DIR, file)).mode & 0o777, 0o600)
    t.equal(statSync(KEYS_DIR).mode & 0o777, 0o700)

    const [asJson, asText, again] = await Promise.all([
      gatehouse(t, ['keys', 'list', '--json'], { env }),
      gatehouse(t, ['keys', 'list'], { env }),
      gatehouse(t, ['keys', 'generate'], { env })
    ])
    t.match(JSON.parse(asJson.stdout), [
      { kid: access, kind: 'access', algorithm: 'ES256', state: 'active' },
      { kid: refresh, kind: 'refresh', algorithm: 'HS256', state: 'active' }
    ])
    t.match(
      asText.stdout,
      new RegExp(`^KID +KIND +ALGORITHM +STATE +CREATED\\n${access}  access   ES256      active  \\S+Z\\n`)
    )
    t.match(again, { status: 1, stderr: /has its keys: to add one use "gatehouse keys rotate"/ })
    for (const file of readdirSync(KEYS_DIR)) {
      const secret =
        readFileSync(join(KEYS_DIR, file), 'utf8')
          .trimEnd()
          .split('\n')
          .at(file.endsWith('.pem') ? -2 : -1) ?? ''
      t.ok(secret.length > 20)
      t.notOk((made.stdout + asJson.stdout + asText.stdout).includes(secret), 'nothing of the secret is printed')
    }
  }
)

await t.test(
  'keys rotate adds a key that is pending, and keys retire takes keys away but never the last',
  async (t) => {
    const env = { KEYS_DIR: createFolder(t) }
    const keys = async (...words: string[]) => {
      const { status, stdout, stderr } = await gatehouse(t, ['keys', ...words, '--json'], { env })
      return { status, stderr, result: stdout === '' ? undefined : (JSON.parse(stdout) as unknown) }
    }
    const list = async () => (await keys('list')).result as ListedKey[]
    await keys('generate')
    const [first] = await list()
    t.match(await keys('rotate'), { status: 0, result: { kind: 'access', signs_in: 300 } })
    t.match(await keys('rotate', '--kind', 'refresh'), { status: 0, result: { kind: 'refresh' } })
    t.same(
      (await list()).map(({ kind, state }) => `${kind} ${state}`),
      ['access active', 'access pending', 'refresh active', 'refresh pending']
    )

    t.match(await keys('retire'), { status: 0, result: { retired: [] } }, 'no key is gone yet')
    t.match(await keys('retire', first?.kid ?? ''), { status: 0, result: { retired: [first?.kid] } })
    const [second] = await list()
    t.match(second, { kind: 'access', state: 'active' }, 'the one that is left signs')
    t.match(await keys('retire', second?.kid ?? ''), { status: 1, stderr: /is the only key for access tokens/ })
    t.match(await keys('retire', 'nothing'), {
      status: 1,
      stderr: /"code":"not_found","message":"There is no key nothing: see /
    })
    t.equal((await list()).length, 3)
  }
)

await t.test('keys list of an empty folder names the command that makes one', async (t) => {
  const { status, stdout } = await gatehouse(t, ['keys', 'list'], { env: { KEYS_DIR: createFolder(t) } })
  t.equal(status, 0)
  t.equal(stdout, 'There is no key: make one with "gatehouse keys generate"\n')
})

await t.test('keys generate does not make a key that would not be used', async (t) => {
  const cwd = createFolder(t)
  const { status, stderr } = await gatehouse(t, ['keys', 'generate'], {
    cwd,
    env: { JWT_PRIVATE_KEY: 'jwt-private.pem', JWT_PUBLIC_KEY: 'jwt-public.pem' }
  })
  t.equal(status, 1)
  t.match(stderr, /^gatehouse: JWT_PRIVATE_KEY is set.*unset JWT_PRIVATE_KEY and JWT_PUBLIC_KEY first\n$/)
  t.strictSame(readdirSync(cwd), [])
})

await t.test('what is wrong with keys is told in a line that names the file', async (t) => {
  const folder = createFolder(t)
  const refused = async (name: string, pem: string) => {
    const KEYS_DIR = join(folder, name)
    mkdirSync(KEYS_DIR)
    writeFileSync(join(KEYS_DIR, 'key.pem'), pem)
    return gatehouse(t, ['keys', 'list'], { env: { KEYS_DIR } })
  }
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const blocked = join(folder, 'file')
  writeFileSync(blocked, '')
  const endings = await Promise.all([
    refused('junk', 'not a key'),
    refused('weak', weak.export({ type: 'pkcs8', format: 'pem' }) as string),
    gatehouse(t, ['keys', 'generate'], { env: { KEYS_DIR: join(blocked, 'keys') } })
  ])
  const words = [
    `${folder}/junk/key.pem is not a key in PEM without a passphrase`,
    `${folder}/weak/key.pem cannot sign tokens: use an EC P-256`,
    `Cannot read the folder of keys ${folder}/file/keys: ENOTDIR`
  ]
  for (const [index, { status, stdout, stderr }] of endings.entries()) {
    t.equal(status, 1)
    t.equal(stdout, '')
    t.ok(stderr.startsWith(`gatehouse: ${words[index] ?? ''}`), stderr)
    t.equal(stderr.trimEnd().split('\n').length, 1)
  }
})

await t.test('a key whose id looks like an option can be retired, and is none that is generated', async (t) => {
  const KEYS_DIR = createFolder(t)
  const dashed = keyWithDash()
  writeFileSync(join(KEYS_DIR, `${dashed.kid}.pem`), dashed.pem, { mode: 0o600 })
  for (let n = 0; n < 400; n++) t.notOk(generateSigningKey(KEYS_DIR).kid.startsWith('-'))
  const retired = await gatehouse(t, ['keys', 'retire', '--json', '--', dashed.kid], { env: { KEYS_DIR } })
  t.match(
    { ...retired, stdout: JSON.parse(retired.stdout) as unknown },
    { status: 0, stdout: { retired: [dashed.kid] } }
  )
})

/** One key of 64 has such a thumbprint (RFC 7638). */
function keyWithDash(): { kid: string; pem: string } {
  for (;;) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { crv, kty, x, y } = publicKey.export({ format: 'jwk' })
    const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
    if (/^-[A-Z]/.test(kid)) return { kid, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
  }
}
