import type { MailName } from './templates.ts'

// Urgent to the job worker: somebody waits to get into their account again.
const security = 0
const link = 1
const notice = 2

/** Mails that give an account back to its owner go before other links, and links before notices. */
const priorities: Record<MailName, number> = {
  password_reset: security,
  unlock: security,
  email_changed: security,
  email_change_requested: security,
  email_verification: link,
  invitation: link,
  password_changed: notice,
  email_change_attempt: notice,
  registration_attempt: notice
}

export const priorityOf = (template: MailName): number => priorities[template]

export const mailPriorities = [security, link, notice] as const
