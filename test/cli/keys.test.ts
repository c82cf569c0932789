import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { gatehouse } from '../support/command.ts'
import { createFolder } from '../support/service.ts'

await t.test('keys generate makes a key that its owner alone can read, and keys list shows it', async (t) => {
  const KEYS_DIR = join(createFolder(t), 'deeper', 'keys')
  const env = { KEYS_DIR, NODE_ENV: 'production' }
  const made = await gatehouse(t, ['keys', 'generate', '--json'], { env })
  t.equal(made.status, 0)
  const { kid } = JSON.parse(made.stdout) as { kid: string }
  t.strictSame(readdirSync(KEYS_DIR), [`${kid}.pem`])
  t.equal(statSync(join(KEYS_DIR, `${kid}.pem`)).mode & 0o777, 0o600)
  t.equal(statSync(KEYS_DIR).mode & 0o777, 0o700)

  const [asJson, asText] = await Promise.all([
    gatehouse(t, ['keys', 'list', '--json'], { env }),
    gatehouse(t, ['keys', 'list'], { env })
  ])
  t.match(JSON.parse(asJson.stdout), [{ kid, algorithm: 'ES256' }])
  t.ok(asText.stdout.startsWith(`${kid}\tES256\t`))
  for (const line of readFileSync(join(KEYS_DIR, `${kid}.pem`), 'utf8')
    .split('\n')
    .slice(1, 3)) {
    t.notOk((made.stdout + asJson.stdout + asText.stdout).includes(line), 'nothing of the private key is printed')
  }
})

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
    `Cannot use ${folder}/file/keys (mkdir: ENOTDIR)`
  ]
  for (const [index, { status, stdout, stderr }] of endings.entries()) {
    t.equal(status, 1)
    t.equal(stdout, '')
    t.ok(stderr.startsWith(`gatehouse: ${words[index] ?? ''}`), stderr)
    t.equal(stderr.trimEnd().split('\n').length, 1)
  }
})
