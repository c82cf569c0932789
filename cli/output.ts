import type { Command } from 'commander'
import { type Columns, createTable, printable } from './table.ts'

export const wantsJson = (command: Command): boolean => command.optsWithGlobals<{ json?: true }>().json === true

/** The same, of a command line that may not be valid. */
export function asksForJson(words = process.argv.slice(2)): boolean {
  const end = words.indexOf('--')
  return words.slice(0, end === -1 ? undefined : end).includes('--json')
}

let isReaderGone = false

/** A reader that has seen enough, as in `gatehouse users list | head`, is no failure: the command ends, and says nothing. */
export function ignoreGoneReaders(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && !isReaderGone) {
      process.exitCode = 1
      process.stderr.write(`gatehouse: Cannot write to standard output (${error.code ?? 'unknown error'})\n`)
    }
    isReaderGone = true
  })
  process.stderr.on('error', () => undefined)
}

/** Prints a result: JSON for programs, words for people. */
export function print(command: Command, result: object, words: string): void {
  process.stdout.write(`${wantsJson(command) ? JSON.stringify(result) : words}\n`)
}

export function printFailure(failure: { message: string }): void {
  const words = () => failure.message.split('\n').map(printable).join('\n')
  process.stderr.write(asksForJson() ? `${JSON.stringify({ error: failure })}\n` : `gatehouse: ${words()}\n`)
}

/** Rows that are laid out together, and held in memory for that. */
const rowsOfPage = 500

/** Prints a list as its rows arrive, however long it is: a JSON array, or a table. */
export async function printAll<T>(command: Command, rows: AsyncIterable<T>, columns: Columns<T>): Promise<void> {
  const json = wantsJson(command)
  const layOut = createTable(columns)
  let separator = '['
  for await (const page of pagesOf(rows)) {
    const text = json ? page.map((row) => JSON.stringify(row)).join(',\n') : layOut(page)
    if (!(await write(json && page.length > 0 ? separator + text : text))) return
    if (page.length > 0) separator = ',\n'
  }
  if (json) await write(separator === '[' ? '[]\n' : ']\n')
}

/** At least one, which is empty where there are no rows. */
async function* pagesOf<T>(rows: AsyncIterable<T>): AsyncGenerator<T[]> {
  let page: T[] = []
  let isFirst = true
  for await (const row of rows) {
    page.push(row)
    if (page.length < rowsOfPage) continue
    yield page
    page = []
    isFirst = false
  }
  if (page.length > 0 || isFirst) yield page
}

/** Waits for a slow reader, so that the rows do not pile up in memory. @returns whether there is still a reader */
export function write(text: string): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdout.write(text, (error) => {
      resolve(error == null && !isReaderGone)
    })
  })
}

/** All rows of a list that is read page by page, in the order of their ids. */
export async function* rowsById<T extends { id: number }>(
  pageAfter: (id: number) => Promise<T[]>,
  first = 0
): AsyncGenerator<T> {
  for (let page = await pageAfter(first); page.length > 0; page = await pageAfter(page.at(-1)?.id ?? 0)) yield* page
}

/** The first rows of a list, all of them unless `limit` is given. */
export async function* take<T>(rows: AsyncIterable<T>, limit = Infinity): AsyncGenerator<T> {
  let taken = 0
  if (limit === 0) return
  for await (const row of rows) {
    yield row
    taken += 1
    if (taken >= limit) return
  }
}
