import type { Command } from 'commander'
import { viewMail } from '../routes/views.ts'
import type { Db } from '../src/database/database.ts'
import type { MailPayload } from '../src/mail/enqueue.ts'
import type { Job } from '../src/repositories/jobs.ts'
import { CommandError } from './command-error.ts'
import { readCount } from './numbers.ts'
import { print, printAll, rowsById, take } from './output.ts'
import { withSchema } from './settings.ts'
import type { Columns } from './table.ts'

const pageSize = 500

export function addOutbox(program: Command, env: NodeJS.ProcessEnv): void {
  const group = program.command('outbox').description('mails that wait to be sent; without SMTP_URL all mails wait')

  group
    .command('list', { isDefault: true })
    .description('list mails that wait, oldest first; also without the word "list"')
    .option('--limit <number>', 'at most so many', readCount)
    .option('--after <id>', 'those that come after one', readCount)
    .action(async ({ limit, after }: { limit?: number; after?: number }, command: Command) => {
      await withSchema(env, [], ({ db }) => printAll(command, take(everyMail(db, after), limit), columns))
    })

  group
    .command('show')
    .description('print a mail as it would be sent, with its link')
    .argument('<id>', 'as "gatehouse outbox" lists it')
    .action(async (id: string, _options: object, command: Command) => {
      await withSchema(env, forMails, async ({ db }, config) => {
        const { createComposer } = await import('../src/mail/composer.ts')
        const { createMailbox } = await import('../src/mail/mailbox.ts')
        const { readTemplates } = await import('../src/mail/templates.ts')
        const { createLinkTokens } = await import('../src/tokens/link-token.ts')
        const { listSchedules } = await import('../src/keys/key-states.ts')
        const { openKeyring } = await import('../src/keys/keyring.ts')
        const keyring = openKeyring({ source: config.keys, schedules: listSchedules(config) })
        try {
          const render = readTemplates(config.mail.templatesDir)
          const mailbox = createMailbox(db, createComposer(config.mail, render, createLinkTokens(keyring)))
          const mail = /^[1-9]\d{0,14}$/.test(id) ? await mailbox.find(Number(id)) : undefined
          if (mail === undefined) throw new CommandError(`No mail ${id} waits: see "gatehouse outbox"`, 'not_found')
          print(command, viewMail(mail), `To: ${mail.to}\nSubject: ${mail.subject}\n\n${mail.text.trimEnd()}`)
        } finally {
          keyring.close()
        }
      })
    })
}

/** What a mail is made of: the sender, the link's beginning and its token. */
const forMails = [
  ...['MAIL_FROM', 'MAIL_TEMPLATES_DIR', 'PUBLIC_URL', 'ISSUER', 'HOST', 'PORT'],
  ...['KEYS_DIR', 'JWT_PRIVATE_KEY', 'JWT_PUBLIC_KEY', 'KEY_ACTIVATION_DELAY_SECONDS'],
  ...['ACCESS_TOKEN_EXPIRE_MINUTES', 'REFRESH_TOKEN_EXPIRE_DAYS', 'SESSION_MAX_DAYS']
]

async function* everyMail(db: Db, first?: number) {
  const { mailKind, readMail } = await import('../src/mail/enqueue.ts')
  const { listJobs } = await import('../src/repositories/jobs.ts')
  for await (const job of rowsById((after) => listJobs(db, mailKind, after, pageSize), first))
    yield describe(job, readMail(job))
}

const describe = (job: Job, { template, language, recipient }: MailPayload) => ({
  id: job.id,
  template,
  language,
  recipient,
  attempts: job.attempts,
  created_at: job.createdAt,
  next_attempt_at: job.dueAt
})

type Description = ReturnType<typeof describe>

const columns: Columns<Description> = {
  id: ({ id }) => id,
  created: ({ created_at }) => created_at.toISOString(),
  template: ({ template }) => template,
  language: ({ language }) => language,
  attempts: ({ attempts }) => attempts,
  recipient: ({ recipient }) => recipient
}
