import { uuidBytes, toUuid } from '../ids.ts'
import type { Keyring } from '../keys/keyring.ts'
import { createSeal } from './seal.ts'

/** The tokens of links in mails. */
export interface LinkTokens {
  /** @param id of the row that says what the token is for. Of one row always the same token, until keys rotate */
  issue: (id: string) => string
  /** @returns the row's id, or undefined for what this service, with the keys it has, did not issue */
  read: (token: string) => string | undefined
}

/** Tokens that the database cannot give away: it holds an id, and the MAC of it is made with a key that is not there. */
export function createLinkTokens(keyring: Keyring): LinkTokens {
  const { seal, open } = createSeal(keyring, 'gatehouse account tokens', 16)
  return {
    issue: (id) => seal(uuidBytes(id)),
    read(token) {
      const id = open(token)
      return id && toUuid(id)
    }
  }
}
