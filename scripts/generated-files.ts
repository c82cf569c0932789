import { Converter } from '@apiture/openapi-down-convert'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import openapiTypescript, { astToString, COMMENT_HEADER } from 'openapi-typescript'
import { buildApp } from '../app.ts'
import { readConfig } from '../src/config/config.ts'
import { commandReference } from './command-reference.ts'

/**
 * What is made from the code and committed, by its path: the OpenAPI document, what is made of that, and the reference of
 * commands.
 */
export async function generatedFiles(): Promise<Record<string, string>> {
  const text = await openapiDocument()
  // What has a default may be left out of a body.
  const types = await openapiTypescript(text, { defaultNonNullable: false })
  return {
    'openapi.json': text,
    'openapi-3.0.json': `${JSON.stringify(toOpenapi30(JSON.parse(text) as object), null, 2)}\n`,
    'clients/typescript/src/generated/openapi.ts': COMMENT_HEADER + astToString(types),
    'docs/cli.md': withReference(readFileSync('docs/cli.md', 'utf8'))
  }
}

/** The page about the command line with the present reference at its end. */
function withReference(page: string): string {
  const heading = '\n## Reference\n'
  const [tasks = ''] = page.split(heading)
  return `${tasks}${heading}\n${commandReference()}`
}

/**
 * A 3.1 document as OpenAPI 3.0.3.
 * @throws {Error} where the converter would drop something without a word; what it leaves as it is the lint finds
 */
export function toOpenapi30(document: object): object {
  const [, lost] =
    /"(patternProperties|propertyNames|unevaluatedProperties|webhooks)":/.exec(JSON.stringify(document)) ?? []
  if (lost !== undefined) throw new Error(`OpenAPI 3.0 has no ${lost}: say it in another way`)
  return new Converter(document, { allOfTransform: true }).convert()
}

/** The OpenAPI document of a service with default settings, as JSON text: what `GET /openapi.json` serves. */
async function openapiDocument(): Promise<string> {
  const keys = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'))
  try {
    const config = readConfig({ DATABASE_URL: 'pglite:memory', KEYS_DIR: keys, LOG_LEVEL: 'silent' })
    const app = await buildApp(config)
    const document = JSON.stringify(app.swagger(), null, 2)
    await app.close()
    return `${document}\n`
  } finally {
    rmSync(keys, { recursive: true, force: true })
  }
}
