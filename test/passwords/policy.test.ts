import { dictionary } from '@zxcvbn-ts/language-common'
import t from 'tap'
import { Problem } from '../../src/errors.ts'
import { checkPassword } from '../../src/passwords/policy.ts'

const owner = { username: 'Margaret', email: 'peggy.sue@example.com' }

const outcome = (password: string, minimum = 8) =>
  checkPassword(password, owner, { minLength: minimum }).then(
    () => 'accepted',
    (error: unknown) => (error as Problem).faults?.[0]?.message
  )

await t.test('refuses every common password of the allowed length, in any case', async (t) => {
  const common = dictionary['passwords-common'].map(String).filter((password) => password.length >= 8)
  t.ok(common.length >= 3000, `${String(common.length)} of them`)
  for (const password of common.slice(0, 3000)) {
    for (const typed of [password, password.toUpperCase()]) {
      if ((await outcome(typed)) === 'accepted') t.fail(typed)
    }
  }
  t.equal(await outcome('1234567890'), 'is too common: choose one that is harder to guess')
})

await t.test('refuses the owner’s names and that of the service, also with something around them', async (t) => {
  t.equal(await outcome('margaret'), 'must not contain the username')
  t.equal(await outcome('xMARGARET1'), 'must not contain the username')
  t.equal(await outcome('peggy.sue!!'), 'must not contain the name in the e-mail address')
  t.equal(await outcome('Gatehouse'), 'must not be the name of this service')
  t.equal(await outcome('gate-house_2026'), 'must not be the name of this service')
})

await t.test('counts characters as people do: in code points, after composition', async (t) => {
  t.equal(await outcome('ünïcödé'), 'must have at least 8 characters')
  t.equal(await outcome('ünïcödé'.normalize('NFD')), 'must have at least 8 characters')
  t.equal(await outcome('🐘🦓🦒🐆🐊🐫🦏'), 'must have at least 8 characters')
  t.equal(await outcome('🐘🦓🦒🐆🐊🐫🦏🦛'), 'accepted')
  t.equal(await outcome('forty thieves', 15), 'must have at least 15 characters')
})

await t.test('asks for no kinds of characters', async (t) => {
  for (const password of [
    '704813956204',
    'tallgreenladder',
    '        |',
    'كلمة السر الطويلة',
    'длинная фраза',
    '長いパスワード八文字'
  ]) {
    t.equal(await outcome(password), 'accepted', password)
  }
})
