import { createTransport } from 'nodemailer'
import type { ComposedMail } from './composer.ts'

/** Hands a mail to the server, and resolves when the server has taken it. */
export type SendMail = (mail: ComposedMail, signal: AbortSignal) => Promise<void>

// Milliseconds. A server that greylists or checks what it is sent takes its time.
const connectionTimeout = 10_000
const socketTimeout = 30_000

const createTransportTo = (url: string) =>
  createTransport({
    url,
    connectionTimeout,
    greetingTimeout: connectionTimeout,
    dnsTimeout: connectionTimeout,
    socketTimeout,
    socketCloseTimeout: 1000,
    disableFileAccess: true,
    disableUrlAccess: true
  })

/** Connects and logs in, and sends nothing. Rejects where the server does not let us. */
export async function verifySmtp(url: string): Promise<void> {
  await createTransportTo(url).verify()
}

export function createSmtp(url: string): SendMail {
  const transport = createTransportTo(url)
  return async ({ to, ...mail }, signal) => {
    await transport.sendMail({
      ...mail,
      // As an object it is one address, whatever it holds.
      to: { name: '', address: to },
      // RFC 3834 §5: no absence notes in answer.
      headers: { 'Auto-Submitted': 'auto-generated' },
      signal
    })
  }
}
