import { createInterface } from 'node:readline/promises'
import { CommandError } from './command-error.ts'

/**
 * Asks before what cannot be undone.
 * @throws {CommandError} unless the answer is yes, or where there is nobody to ask
 */
export async function confirm(what: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandError(`${what} asks for confirmation: add --yes, or run it in a terminal`, 'usage')
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const closed = new AbortController()
  // Also on Ctrl+C and Ctrl+D.
  terminal.once('close', () => {
    closed.abort()
  })
  const answer = await terminal.question(`${what}? [y/N] `, { signal: closed.signal }).catch(() => '')
  terminal.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('Nothing was changed', 'cancelled')
}
