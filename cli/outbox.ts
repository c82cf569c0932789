import type { Command } from 'commander'
import type { Db } from '../src/database/database.ts'
import type { OutboxRow } from '../src/mail/outbox.ts'
import { CommandError } from './command-error.ts'
import { print, printAll } from './output.ts'
import { withSchema } from './settings.ts'

const pageSize = 500

export function addOutbox(program: Command, env: NodeJS.ProcessEnv): void {
  const group = program
    .command('outbox')
    .description('the mails that wait to be sent; without SMTP_URL they all do')
    .action(async (_options: object, command: Command) => {
      await withSchema(env, [], ({ db }) => printAll(command, everyMail(db), inColumns))
    })

  group
    .command('show')
    .description('print a mail as it would be sent, with its link')
    .argument('<id>', 'as "gatehouse outbox" lists it')
    .action(async (id: string, _options: object, command: Command) => {
      await withSchema(env, forMails, async ({ db }, config) => {
        const { findWaitingMails } = await import('../src/mail/outbox.ts')
        const [row] = /^[1-9]\d{0,14}$/.test(id) ? await findWaitingMails(db, Number(id) - 1, 1) : []
        if (row?.id !== Number(id)) throw new CommandError(`No mail ${id} waits: see "gatehouse outbox"`)
        const { createComposer } = await import('../src/mail/composer.ts')
        const { readTemplates } = await import('../src/mail/templates.ts')
        const { createAccountTokens } = await import('../src/tokens/link-token.ts')
        const { schedulesOf } = await import('../src/keys/key-states.ts')
        const { openKeyring } = await import('../src/keys/keyring.ts')
        const keyring = openKeyring({ source: config.keys, schedules: schedulesOf(config) })
        try {
          const render = readTemplates(config.mail.templatesDir)
          const mail = createComposer(config.mail, render, createAccountTokens(keyring))(row)
          print(command, mail, `To: ${mail.to}\nSubject: ${mail.subject}\n\n${mail.text.trimEnd()}`)
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

async function* everyMail(db: Db) {
  const { findWaitingMails } = await import('../src/mail/outbox.ts')
  for (let page = await findWaitingMails(db, 0, pageSize); page.length > 0;) {
    yield* page.map(describe)
    page = await findWaitingMails(db, page.at(-1)?.id ?? 0, pageSize)
  }
}

const describe = (row: OutboxRow) => ({
  id: row.id,
  template: row.template,
  language: row.language,
  recipient: row.recipient,
  attempts: row.attempts,
  created_at: row.createdAt,
  next_attempt_at: row.nextAttemptAt
})

type Description = ReturnType<typeof describe>

const inColumns = (mail: Description) =>
  [mail.id, mail.created_at.toISOString(), mail.template, mail.language, mail.recipient, mail.attempts].join('\t')
