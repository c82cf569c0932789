import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../../src/package-folder.ts'

interface Document {
  components: { securitySchemes: object }
}

/** The OpenAPI 3.0.3 document of a service with default settings, as `npm run generate:openapi` left it. */
export const readOpenapi30 = (): Document =>
  JSON.parse(readFileSync(join(packageFolder, 'openapi-3.0.json'), 'utf8')) as Document

/** The same of the service that has this 3.1 document: settings change nothing in it but the name of the cookie. */
export function openapi30Of(document: object): Document {
  const made = readOpenapi30()
  const { securitySchemes } = (document as Document).components
  return { ...made, components: { ...made.components, securitySchemes } }
}
