import { randomUUID } from 'node:crypto'
import type { UserRow } from '../repositories/users.ts'
import { uuidBytes, toUuid } from '../ids.ts'
import type { Keyring } from '../keys/keyring.ts'
import { createSeal } from './seal.ts'

/** A browser on which users have proved who they are, as its cookie says. */
export interface Device {
  id: string
  /** One for each user, the last one's first. What they say is sealed for their user, and says nothing to others. */
  proofs: string[]
}

/** Whose device it is: another password makes it a stranger's. */
export type DeviceOwner = Pick<UserRow, 'id' | 'passwordVersion'>

/** The cookies by which devices are known (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). */
export interface DeviceTokens {
  /** @param device what the client has shown, which goes on being a device of its other users */
  issue: (owner: DeviceOwner, device?: Device) => string
  /** @returns undefined for what this service, with the keys it has, did not issue */
  read: (token: string) => Device | undefined
  /** Whether the user has proved on this device who they are. As quick where there is neither. */
  isOf: (device: Device | undefined, owner: DeviceOwner | undefined) => boolean
}

/** Seconds for which a device is known after a login. Browsers keep no cookie for more than 400 days. */
export const deviceLifetime = 365 * 24 * 60 * 60

/** How many users of a device are known. */
export const maxUsersPerDevice = 5

const nobody: DeviceOwner = { id: 0, passwordVersion: 0 }

/**
 * A token is the device's id and, for each user, the time of the proof, each with a MAC. That of a proof is also of the
 * device, the user and the count of their passwords, which the token does not tell: it holds nobody's name or number,
 * and no proof is good for another user or on another device. Nothing of it is in the database.
 */
export function createDeviceTokens(keyring: Keyring, now: () => number = Date.now): DeviceTokens {
  const ids = createSeal(keyring, 'gatehouse devices', 16)
  const proofs = createSeal(keyring, 'gatehouse device proofs', 4)
  const seconds = () => Math.floor(now() / 1000)

  function isProof(proof: string, context: Buffer): boolean {
    const issuedAt = proofs.open(proof, context)?.readUInt32BE()
    return issuedAt !== undefined && issuedAt + deviceLifetime > seconds()
  }

  return {
    issue(owner, device = { id: randomUUID(), proofs: [] }) {
      const context = toContext(device, owner)
      const time = Buffer.alloc(4)
      time.writeUInt32BE(seconds())
      const others = device.proofs.filter((proof) => !isProof(proof, context)).slice(0, maxUsersPerDevice - 1)
      return [ids.seal(uuidBytes(device.id)), proofs.seal(time, context), ...others].join('.')
    },
    read(token) {
      const [head = '', ...sealed] = token.split('.', maxUsersPerDevice + 1)
      const id = ids.open(head)
      return id && { id: toUuid(id), proofs: sealed }
    },
    isOf(device, owner) {
      const { id, proofs } = device ?? { id: '', proofs: [] }
      const context = toContext({ id }, owner ?? nobody)
      return proofs.filter((proof) => isProof(proof, context)).length > 0
    }
  }
}

function toContext({ id }: Pick<Device, 'id'>, owner: DeviceOwner): Buffer {
  const numbers = Buffer.alloc(8)
  numbers.writeUInt32BE(owner.id)
  numbers.writeUInt32BE(owner.passwordVersion, 4)
  return Buffer.concat([uuidBytes(id), numbers])
}
