/** What a table shows of a row, by the heading. What can be of any length or script comes last. */
export type Columns<T> = Record<string, (row: T) => string | number>

// Characters: one long address does not push the others of its page apart. The id of a key has 43.
const maxWidth = 44

/**
 * Lays rows out below headings, a page at a time: each column is as wide as what the pages so far needed. A list of one page
 * is aligned throughout, and one of a million rows can be printed as it comes.
 */
export function createTable<T>(columns: Columns<T>): (page: T[]) => string {
  let unprinted = [Object.keys(columns).map((heading) => heading.toUpperCase())]
  const widths: number[] = []
  const pad = (cell: string, index: number, { length }: string[]) =>
    index === length - 1 ? cell : cell.padEnd(widths[index] ?? 0)
  return (page) => {
    const lines = [...unprinted, ...page.map((row) => Object.values(columns).map((read) => printable(read(row))))]
    unprinted = []
    for (const line of lines) {
      for (const [index, { length }] of line.entries()) {
        widths[index] = Math.max(widths[index] ?? 0, Math.min(length, maxWidth))
      }
    }
    return lines.map((line) => `${line.map(pad).join('  ')}\n`).join('')
  }
}

/** Facts about one thing, a line each. */
export function layOutFacts(facts: Record<string, string | number>): string {
  const width = Math.max(...Object.keys(facts).map(({ length }) => length))
  return Object.entries(facts)
    .map(([name, fact]) => `${name.padEnd(width)}  ${printable(fact)}`)
    .join('\n')
}

/** What clients sent must not command the terminal that it is printed on; JSON leaves these as they are. */
export const printable = (text: string | number): string =>
  String(text).replaceAll(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, '?')
