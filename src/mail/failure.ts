/** Whether the server refuses the recipient or the mail itself, and will again: a 5yz answer is final (RFC 5321 §4.2.1). */
export function isRefusal(error: unknown): boolean {
  const { command, responseCode = 0 } = error as { command?: unknown; responseCode?: number }
  return (command === 'RCPT TO' || command === 'DATA') && responseCode >= 500 && responseCode < 600
}

/** Of a failure only what cannot hold an address: servers quote them in their answers. */
export function readReason(error: unknown): { code: unknown; response: unknown } {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown }
  return { code, response: responseCode }
}
