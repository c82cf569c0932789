import { createTransport } from 'nodemailer'
import type { ComposedMail } from './composer.ts'

/** Hands a mail to the server, and resolves when the server has taken it. */
export type SendMail = (mail: ComposedMail, signal: AbortSignal) => Promise<void>

// Milliseconds. A server that greylists or checks what it is sent takes its time.
const connectionTimeout = 10_000
const socketTimeout = 30_000

export function createSmtp(url: string): SendMail {
  const transport = createTransport({
    url,
    connectionTimeout,
    greetingTimeout: connectionTimeout,
    dnsTimeout: connectionTimeout,
    socketTimeout,
    socketCloseTimeout: 1000,
    disableFileAccess: true,
    disableUrlAccess: true
  })
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
