import type { Command } from 'commander'

export const wantsJson = (command: Command): boolean => command.optsWithGlobals<{ json?: true }>().json === true

/** Prints a result: JSON for programs, words for people. */
export function print(command: Command, result: object, words: string): void {
  process.stdout.write(`${wantsJson(command) ? JSON.stringify(result) : words}\n`)
}

/** Prints a list as its rows arrive, however long it is: a JSON array, or a line a row. */
export async function printAll<T>(command: Command, rows: AsyncIterable<T>, words: (row: T) => string): Promise<void> {
  const json = wantsJson(command)
  let separator = json ? '[' : ''
  for await (const row of rows) {
    await write(json ? `${separator}${JSON.stringify(row)}` : `${words(row)}\n`)
    separator = json ? ',\n' : ''
  }
  if (json) await write(separator === '[' ? '[]\n' : ']\n')
}

/** Waits for a slow reader, so that the rows do not pile up in memory. */
export function write(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => {
      resolve()
    })
  })
}

/** All rows of a list that is read page by page, in the order of their ids. */
export async function* rowsById<T extends { id: number }>(pageAfter: (id: number) => Promise<T[]>): AsyncGenerator<T> {
  for (let page = await pageAfter(0); page.length > 0; page = await pageAfter(page.at(-1)?.id ?? 0)) yield* page
}
