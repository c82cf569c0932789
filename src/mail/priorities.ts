/** Answers to requests need the database alone, and mails may come of them: they go before every mail. */
export const requestPriority = -1

const security = 0
const link = 1
const notice = 2

/** What gives an account back to its owner goes before other links, and those before mails that merely tell. */
const priorities: Partial<Record<string, number>> = {
  password_reset: security,
  unlock: security,
  email_changed: security,
  email_change_requested: security,
  email_verification: link,
  invitation: link
}

export const isUrgent = (priority: number): boolean => priority <= security

export const priorityOf = (template: string): number => priorities[template] ?? notice

/** Which mails are taken from the outbox, by their priorities, the most urgent first. */
export const selections = {
  all: [requestPriority, security, link, notice],
  urgent: [requestPriority, security],
  /** Where there is no mail server. */
  requests: [requestPriority]
} as const

export type Selection = keyof typeof selections
