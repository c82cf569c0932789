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
  /** How it answers RCPT of these addresses, with an explanation that quotes them. */
  refuse: Map<string, number>
  /** The same after DATA. */
  refuseContent: Map<string, number>
}

export async function startMailServer(t: Test): Promise<MailServer> {
  const port = await freePort()
  const mails: ParsedMail[] = []
  const refuse = new Map<string, number>()
  const refuseContent = new Map<string, number>()
  let server: SMTPServer

  const mailsTo = (address: string) =>
    mails.filter(({ to }) => [to].flat().some((one) => one?.value.some((recipient) => recipient.address === address)))

  const restart = async () => {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onRcptTo({ address }, _session, done) {
        const responseCode = refuse.get(address)
        if (responseCode === undefined) done()
        else done(Object.assign(new Error(`no mailbox ${address} here`), { responseCode }))
      },
      onData(stream, { envelope }, done) {
        simpleParser(stream).then((mail) => {
          const address = envelope.rcptTo[0]?.address ?? ''
          const responseCode = refuseContent.get(address)
          if (responseCode !== undefined) {
            done(Object.assign(new Error(`no such mail for ${address}`), { responseCode }))
            return
          }
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
    refuse,
    refuseContent
  }
}

/** The token in the link of a mail. */
export const tokenIn = ({ text = '' }: Pick<ParsedMail, 'text'>): string => /#token=([\w-]+)/.exec(text)?.[1] ?? ''
