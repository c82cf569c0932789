import type { Keyring } from '../keys/keyring.ts'
import { type AccessTokenOptions, createAccessTokens } from './access-token.ts'
import { createDeviceTokens } from './device-token.ts'
import { createLinkTokens } from './link-token.ts'
import { createRefreshTokens } from './refresh-token.ts'

export type Tokens = ReturnType<typeof createTokens>

/** Every kind of token that the service issues, with the keys of one ring. */
export const createTokens = (keyring: Keyring, options: AccessTokenOptions) => ({
  access: createAccessTokens(keyring, options),
  refresh: createRefreshTokens(keyring),
  links: createLinkTokens(keyring),
  devices: createDeviceTokens(keyring)
})
