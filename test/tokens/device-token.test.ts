import t from 'tap'
import { createDeviceTokens, deviceLifetime } from '../../src/tokens/device-token.ts'
import { generateMissingKeys } from '../../src/keys/key-files.ts'
import { openKeyring } from '../../src/keys/keyring.ts'
import { createFolder } from '../support/service.ts'

const schedule = { activationDelay: 0, validity: 960 }

await t.test(
  'a device is known for a year from its last login, however long its browser keeps the cookie',
  async (t) => {
    const dir = createFolder(t)
    generateMissingKeys(dir)
    const keyring = openKeyring({ source: { dir }, schedules: { access: schedule, refresh: schedule } })
    t.teardown(() => {
      keyring.close()
    })
    const start = Date.now()
    let now = start
    const devices = createDeviceTokens(keyring, () => now)
    const owner = { id: 1, passwordVersion: 1 }
    const device = devices.read(devices.issue(owner))
    now = start + (deviceLifetime - 2) * 1000
    t.equal(devices.isOf(device, owner), true)
    const renewed = devices.read(devices.issue(owner, device))
    now = start + (deviceLifetime + 2) * 1000
    t.equal(devices.isOf(device, owner), false)
    t.equal(devices.isOf(renewed, owner), true, 'another login prolongs it')
  }
)
