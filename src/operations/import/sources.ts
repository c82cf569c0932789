import { pipeline, type Readable } from 'node:stream'
import { type CsvError, parse } from 'csv-parse'
import { fromCsv } from './record.ts'

/** A line of a file, as it is written there, or why it cannot be read. */
export type SourceRecord = { line: number; fields: Record<string, unknown> } | { line: number; fault: string }

// Characters.
const maxRecord = 65_536

/** A JSON object a line. Never holds more than a piece of the file. */
export async function* readJsonLines(input: Readable): AsyncGenerator<SourceRecord> {
  for await (const { line, text } of readLines(input)) {
    if (text === undefined) yield { line, fault: `has more than ${String(maxRecord)} characters` }
    else if (text.trim() !== '') yield { line, ...readObject(text) }
  }
}

function readObject(text: string): { fields: Record<string, unknown> } | { fault: string } {
  try {
    const fields: unknown = JSON.parse(text)
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) {
      return { fields: fields as Record<string, unknown> }
    }
  } catch {
    // What JSON.parse says repeats what it read, which may be a hash.
  }
  return { fault: "is no JSON object; each user is one line (jq -c '.[]' makes lines of an array)" }
}

/** @returns each line; without its text where it is too long */
async function* readLines(input: Readable): AsyncGenerator<{ line: number; text: string | undefined }> {
  let line = 1
  let rest = ''
  let isTooLong = false
  for await (const chunk of input.setEncoding('utf8') as AsyncIterable<string>) {
    const pieces = chunk.split('\n')
    for (const [index, piece] of pieces.entries()) {
      rest += piece
      isTooLong ||= rest.length > maxRecord
      if (isTooLong) rest = ''
      if (index === pieces.length - 1) break
      yield { line, text: isTooLong ? undefined : withoutMark(rest, line) }
      line++
      rest = ''
      isTooLong = false
    }
  }
  if (rest !== '' || isTooLong) yield { line, text: isTooLong ? undefined : withoutMark(rest, line) }
}

/** Without the byte order mark that some programs begin a file with. */
const withoutMark = (text: string, line: number) => (line === 1 ? text.replace(/^\uFEFF/, '') : text)

/**
 * CSV (RFC 4180) whose first line names the columns; an empty cell counts as absent.
 * @param checkColumns throws where the columns will not do
 */
export async function* readCsv(input: Readable, checkColumns: (names: string[]) => void): AsyncGenerator<SourceRecord> {
  const skipped: SourceRecord[] = []
  const parser = parse({
    bom: true,
    info: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: maxRecord,
    columns(names: string[]) {
      checkColumns(names)
      return names
    },
    on_skip(error: CsvError | undefined) {
      skipped.push({ line: Number(error?.lines), fault: faultOfCsv(error) })
      return undefined
    }
  })
  // What fails in the input fails in the parser, too; what is not read to its end is closed.
  pipeline(input, parser, () => undefined)
  for await (const { record, info } of parser as AsyncIterable<{
    record: Record<string, string>
    info: { lines: number }
  }>) {
    yield* skipped.splice(0)
    yield { line: info.lines, fields: fromCsv(record) }
  }
  yield* skipped
}

/** In words of ours: the parser's repeat the record, which may hold a hash. */
function faultOfCsv(error: CsvError | undefined): string {
  if (error?.code === 'CSV_RECORD_INCONSISTENT_COLUMNS') return 'has another number of columns than the first line'
  if (error?.code === 'CSV_MAX_RECORD_SIZE') return `has more than ${String(maxRecord)} characters`
  return 'is no CSV: a cell with a comma or a quotation mark stands between quotation marks, which are doubled within'
}
