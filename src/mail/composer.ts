import type { MailConfig } from '../config/config.ts'
import type { AccountTokens } from '../tokens/link-token.ts'
import type { Language } from '../language.ts'
import type { OutboxRow } from './outbox.ts'
import { type MailName, mails, type RenderMail } from './templates.ts'

/** A mail as it is handed to the server. */
export interface ComposedMail {
  messageId: string
  from: string
  to: string
  subject: string
  text: string
  html: string
}

export type ComposeMail = (row: OutboxRow) => ComposedMail

/** Makes mails of what the outbox holds. Only here the link comes to be: neither the database nor the log ever has it. */
export function createComposer(
  { from, linkBase }: MailConfig,
  render: RenderMail,
  accountTokens: AccountTokens
): ComposeMail {
  const service = new URL(linkBase).hostname

  return (row) => {
    const name = row.template as MailName
    const { username = '', address } = row.variables
    const shown = address === 'verified' ? inert(username) : beginningOf(username)
    const { page } = mails[name]
    const link =
      page !== undefined && row.tokenId !== null
        ? // The fragment stays in the browser: no server, proxy or log on the way sees the token.
          { link: `${linkBase}/${page}#token=${accountTokens.issue(row.tokenId)}${accountFor(name, shown)}` }
        : {}
    const view = { username: shown, service, ...link }
    return {
      // Of one row always the same, so that a mail that comes twice is known as one.
      messageId: `<${String(row.id)}.${String(row.createdAt.getTime())}.gatehouse@${service}>`,
      from,
      to: row.recipient,
      ...render(name, row.language as Language, view)
    }
  }
}

/** Whose account asks for an address is for its reader to know: the page says it, too. */
const accountFor = (name: MailName, shown: string) =>
  name === 'email_verification' ? `&account=${encodeURIComponent(shown)}` : ''

/** A username is a stranger's choice. With U+200C behind each dot, mail programs make no link of `www.example.com`. */
const inert = (username: string) => username.replaceAll('.', '.\u200c')

/**
 * A username as it stands in mail to an address that its user has not verified. It is a stranger's choice, and may be
 * `win-9000eur.www.example.com`: eight characters before any dot name an account to who knows it, and hold neither a host,
 * which mail programs make a link of, nor a telephone number.
 */
function beginningOf(username: string): string {
  const beginning = username.slice(0, 8).replace(/\..*/s, '')
  return beginning === username ? username : `${beginning}…`
}
