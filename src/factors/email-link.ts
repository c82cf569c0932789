import type { Db } from '../database/database.ts'
import { type FieldFault, InvalidInput } from '../errors.ts'
import { findLink, type Purpose, useLink } from '../repositories/email-links.ts'
import type { UserRow } from '../repositories/users.ts'
import type { LinkTokens } from '../tokens/link-token.ts'

/** Why a link is refused, whatever is wrong with it. */
export const deadLink: FieldFault = {
  field: 'token',
  message: 'was used, has expired, or was not issued by this service: ask for a new link'
}

export const refuseLink = () => new InvalidInput(deadLink)

/** A good link, whose reader has the address that it was mailed to. */
export interface EmailLink {
  id: string
  user: UserRow
  emailKey: string
  /**
   * Uses it up, with its user locked.
   * @throws {InvalidInput} where it is no longer good: of concurrent attempts one succeeds
   */
  use: (tx: Db) => Promise<{ purpose: string; emailKey: string }>
}

export type EmailLinkFactor = ReturnType<typeof createEmailLinkFactor>

/** Proof that somebody reads the mail of an address. */
export const createEmailLinkFactor =
  (db: Db, linkTokens: LinkTokens) =>
  /** @throws {InvalidInput} for a token of no good link */
  async (token: string, ...purposes: Purpose[]): Promise<EmailLink> => {
    const id = linkTokens.read(token)
    const link = id && (await findLink(db, id, purposes))
    if (!id || !link) throw refuseLink()
    return {
      id,
      ...link,
      async use(tx) {
        const used = await useLink(tx, id, purposes)
        if (used === undefined) throw refuseLink()
        return used
      }
    }
  }
