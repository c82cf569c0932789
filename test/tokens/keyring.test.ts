import t from 'tap'
import { generateMissingKeys, generateSigningKey } from '../../src/keys/key-files.ts'
import { openKeyring } from '../../src/keys/keyring.ts'
import { createFolder } from '../support/service.ts'

const schedule = { activationDelay: 0, validity: 960 }

await t.test(
  'a key that another instance signs with already is found, however lately the files were looked at',
  async (t) => {
    const dir = createFolder(t)
    generateMissingKeys(dir)
    const keyring = openKeyring({ source: { dir }, schedules: { access: schedule, refresh: schedule } })
    t.teardown(() => {
      keyring.close()
    })
    t.equal(await keyring.find('made-up'), undefined)
    const underWay = keyring.find('made-up as well')
    const { kid } = generateSigningKey(dir)
    t.match(await Promise.all(Array.from({ length: 20 }, () => keyring.find(kid))), Array(20).fill({ kid }))
    t.equal(await underWay, undefined)
  }
)
