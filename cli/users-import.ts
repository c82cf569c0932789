import { createReadStream, openSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { Readable } from 'node:stream'
import { type Command, Option } from 'commander'
import { type FirebaseParameters, readFirebaseParameters } from '../src/passwords/firebase.ts'
import type { ImportCounts } from '../src/operations/import/import.ts'
import type { SourceRecord } from '../src/operations/import/sources.ts'
import { CommandError } from './command-error.ts'
import { print } from './output.ts'
import { createProgress } from './progress.ts'
import { withSchema } from './settings.ts'

const formats = ['jsonl', 'csv'] as const

type Format = (typeof formats)[number]

const formatOfEnding: Record<string, Format> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'jsonl',
  '.csv': 'csv'
}

// Faults that the JSON result repeats; all of them are on standard error.
const maxFaultsInJson = 100

interface Options {
  format?: Format
  firebase?: string
  dryRun?: true
}

export function addUsersImport(group: Command, env: NodeJS.ProcessEnv): void {
  group
    .command('import')
    .description('import users with their password hashes; run it again with the same file to resume')
    .argument('<file>', 'JSON Lines or CSV; - is standard input')
    .addOption(
      new Option('--format <format>', "unless the file's ending tells; JSON Lines on standard input").choices(formats)
    )
    .option('--firebase <file>', "the hash parameters that Firebase's console shows")
    .option('--dry-run', 'check every line and change nothing')
    .action(async (file: string, options: Options, command: Command) => {
      const format = options.format ?? (file === '-' ? 'jsonl' : formatOfEnding[extname(file).toLowerCase()])
      if (format === undefined)
        throw new CommandError(`The format of ${file} is not clear: use --format jsonl or csv`, 'usage')
      const firebase = options.firebase === undefined ? undefined : readParameters(options.firebase)
      // Opened before anything else is, so that a wrong name is a fault at once.
      const input = file === '-' ? process.stdin : createReadStream(file, { fd: openSync(file, 'r') })
      const faults: { line: number; message: string }[] = []
      const progress = createProgress()
      let sofar: ImportCounts = { imported: 0, alreadyThere: 0, refused: 0 }

      const settings = ['ARGON2_MEMORY_KIB', 'ARGON2_ITERATIONS', 'ARGON2_PARALLELISM']
      const counts = await withSchema(env, settings, async ({ db }, { argon2: policy }) => {
        const { importUsers } = await import('../src/operations/import/import.ts')
        return importUsers(await read(input, format), {
          db,
          policy,
          firebase,
          dryRun: options.dryRun === true,
          onFault(line, message) {
            progress.note(`line ${String(line)}: ${message}`)
            if (faults.length < maxFaultsInJson) faults.push({ line, message })
          },
          onProgress(counts) {
            sofar = { ...counts }
            progress.show(inWords(sofar))
          }
        })
      }).catch((error: unknown) => {
        progress.end()
        if (sofar.imported > 0) progress.note(`Stopped: ${inWords(sofar)}; give the same file again to go on`)
        throw error
      })
      progress.end()

      if (counts.refused > 0) process.exitCode = 1
      const { imported, alreadyThere, refused } = counts
      print(
        command,
        { dry_run: options.dryRun === true, imported, already_there: alreadyThere, refused, faults },
        options.dryRun ? `Nothing was changed; it would be: ${inWords(counts)}` : inWords(counts)
      )
    })
}

async function read(input: Readable, format: Format): Promise<AsyncIterable<SourceRecord>> {
  const { readCsv, readJsonLines } = await import('../src/operations/import/sources.ts')
  if (format === 'jsonl') return readJsonLines(input)
  const { fieldNames } = await import('../src/operations/import/record.ts')
  return readCsv(input, (names) => {
    const unknown = names.filter((name) => !fieldNames.includes(name))
    if (unknown.length === 0 && new Set(names).size === names.length) return
    throw new CommandError(
      unknown.length === 0
        ? 'A column of the first line is there twice: take one away'
        : `The first line must name the columns; ${JSON.stringify(unknown[0]).slice(0, 60)} is none of ${fieldNames.join(', ')}`
    )
  })
}

function readParameters(file: string): FirebaseParameters {
  const parameters = readFirebaseParameters(readFileSync(file, 'utf8'))
  if (parameters !== undefined) return parameters
  throw new CommandError(
    `${file} must hold base64_signer_key, base64_salt_separator, rounds and mem_cost, as Firebase's console shows them`
  )
}

const inWords = ({ imported, alreadyThere, refused }: ImportCounts) =>
  `${imported.toLocaleString('en')} imported, ${alreadyThere.toLocaleString('en')} already there, ${refused.toLocaleString('en')} refused`
