import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import type { Test } from 'tap'
import { eventually } from './eventually.ts'
import { freePort } from './postgres-server.ts'

/** A real SMTP server, which keeps what it is sent. */
export interface MailServer {
  /** For `startService`. */
  env: { SMTP_URL: string; MAIL_FROM: string }
  /** What it took, parsed, in the order in which it came. */
  mails: ParsedMail[]
  /** Waits until that many have come for an address. @returns the last of them */
  mailTo: (t: Test, address: string, count?: number) => Promise<ParsedMail>
  /** Those that came for an address. */
  mailsTo: (address: string) => ParsedMail[]
  stop: () => Promise<void>
  /** Listens again, on the same port. */
  restart: () => Promise<void>
  /** Answers RCPT of these addresses with 550 and an explanation that quotes them. */
  refuse: Set<string>
}

export async function startMailServer(t: Test): Promise<MailServer> {
  const port = await freePort()
  const mails: ParsedMail[] = []
  const refuse = new Set<string>()
  let server: SMTPServer

  const mailsTo = (address: string) =>
    mails.filter(({ to }) => [to].flat().some((one) => one?.value.some((recipient) => recipient.address === address)))

  const restart = async () => {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onRcptTo({ address }, _session, done) {
        if (!refuse.has(address)) done()
        else done(Object.assign(new Error(`no mailbox ${address} here`), { responseCode: 550 }))
      },
      onData(stream, _session, done) {
        simpleParser(stream).then((mail) => {
          mails.push(mail)
          done()
        }, done)
      }
    })
    server.on('error', () => undefined)
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  }
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(resolve)
    })

  await restart()
  t.teardown(stop)
  return {
    env: { SMTP_URL: `smtp://127.0.0.1:${String(port)}`, MAIL_FROM: 'Gatehouse <no-reply@gatehouse.test>' },
    mails,
    mailsTo,
    async mailTo(t, address, count = 1) {
      await eventually(t, `mail ${String(count)} for ${address} comes`, async () => mailsTo(address).length >= count)
      return mailsTo(address).at(-1)!
    },
    stop,
    restart,
    refuse
  }
}

/** The token in the link of a mail. */
export const tokenIn = ({ text = '' }: Pick<ParsedMail, 'text'>): string => /#token=([\w-]+)/.exec(text)?.[1] ?? ''
