import type { MailConfig } from '../config/config.ts'
import type { Job } from '../repositories/jobs.ts'
import type { LinkTokens } from '../tokens/link-token.ts'
import { readMail } from './enqueue.ts'
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

export type ComposeMail = (job: Job) => ComposedMail

/** Composes the mail of a job. The link is made here alone: neither the database nor a log ever has it. */
export function createComposer(
  { from, linkBase }: MailConfig,
  render: RenderMail,
  linkTokens: LinkTokens
): ComposeMail {
  const service = new URL(linkBase).hostname

  return (job) => {
    const { template, language, recipient, username = '', address, message_id: messageId } = readMail(job)
    const shown = address === 'verified' ? inert(username) : shorten(username)
    const { page } = mails[template]
    const link =
      page !== undefined && job.linkId !== null
        ? // The fragment stays in the browser: no server, proxy or log on the way sees the token.
          { link: `${linkBase}/${page}#token=${linkTokens.issue(job.linkId)}${accountFor(template, shown)}` }
        : {}
    const view = { username: shown, service, ...link }
    const unique = messageId ?? `${String(job.id)}.${String(job.createdAt.getTime())}`
    return {
      // Derived from the job, so that a retried delivery is recognised as a duplicate.
      messageId: `<${unique}.gatehouse@${service}>`,
      from,
      to: recipient,
      ...render(template, language, view)
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
function shorten(username: string): string {
  const beginning = username.slice(0, 8).replace(/\..*/s, '')
  return beginning === username ? username : `${beginning}…`
}
