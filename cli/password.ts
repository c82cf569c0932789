import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CommandError } from './command-error.ts'

/**
 * A new password: asked for twice at a terminal, without echo, else the first line of standard input.
 * Never an argument: those are seen in the list of processes and kept in the shell's history.
 */
export async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) return readFirstLine()
  const password = await ask('Password: ')
  if ((await ask('Again: ')) !== password) throw new CommandError('The two passwords differ: try again', 'cancelled')
  return password
}

async function readFirstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== '') return line
    break
  }
  throw new CommandError(
    'There is no password on standard input: pipe it in, or run this in a terminal to be asked',
    'usage'
  )
}

function ask(question: string): Promise<string> {
  const silent = new Writable({
    write: (_chunk, _encoding, done) => {
      done()
    }
  })
  // Before the question is: the terminal itself echoes what is typed until then.
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  process.stderr.write(question)
  return new Promise((resolve, reject) => {
    // Also on Ctrl+C and Ctrl+D; an answer that came before has settled the promise.
    terminal.once('close', () => {
      process.stderr.write('\n')
      reject(new CommandError('No password was given: nothing was changed', 'cancelled'))
    })
    terminal.question('', (answer) => {
      resolve(answer)
      terminal.close()
    })
  })
}
