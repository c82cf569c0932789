import { existsSync } from 'node:fs'
import { type DestinationStream, pino } from 'pino'
import type { Config } from '../../src/config/config.ts'
import { version } from '../../src/package-folder.ts'
import { loggerOptions } from '../logging.ts'

/** Where the log goes: at a developer's terminal lines that read well; else undefined, which is JSON on standard output. */
export async function openLogStream(
  production: boolean,
  output: NodeJS.WriteStream = process.stdout
): Promise<DestinationStream | undefined> {
  if (production || !output.isTTY) return undefined
  const { default: pretty } = await import('pino-pretty')
  return pretty({
    destination: output,
    sync: true,
    singleLine: true,
    ignore: 'pid,hostname,reqId',
    translateTime: 'SYS:HH:MM:ss'
  })
}

/** The first line of the log. */
export function announceStart({ database: { url }, logLevel }: Config, stream?: DestinationStream): void {
  const options = loggerOptions(logLevel)
  const log = stream === undefined ? pino(options) : pino(options, stream)
  log.info(`Gatehouse ${version} is starting: ${describeDatabase(url)}`)
}

/** What is said once the service listens: where to go next. */
export function announceReady({ host, port, issuer, production, docs, mail: { showsMails } }: Config): string {
  if (production) return `Gatehouse is ready: clients reach it at ${issuer}`
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  const here = `http://${name}:${String(port)}`
  const places = [...(docs ? [`the API is at ${here}/docs`] : []), ...(showsMails ? [`mail at ${here}/dev/mail`] : [])]
  return [`Gatehouse is ready: open ${here} in a browser`, ...places].join('; ')
}

function describeDatabase(url: string): string {
  if (url === 'pglite:memory') return 'making an embedded database in memory, which takes a few seconds'
  if (!url.startsWith('pglite:')) return 'connecting to PostgreSQL'
  const folder = url.slice('pglite:'.length)
  if (existsSync(folder)) return `opening the embedded database in ${folder}`
  return `making an embedded database in ${folder}, which takes a few seconds`
}
