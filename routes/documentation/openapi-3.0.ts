import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../../src/package-folder.ts'

interface Document {
  components: { securitySchemes: object; schemas: Record<string, Schema> }
}

interface Schema {
  properties?: Record<string, { minLength?: number }>
}

/** The OpenAPI 3.0.3 document of a service with default settings, as `npm run generate:openapi` left it. */
export const readOpenapi30 = (): Document =>
  JSON.parse(readFileSync(join(packageFolder, 'openapi-3.0.json'), 'utf8')) as Document

/** The same of the service that has this 3.1 document: settings change the name of the cookie and the least length of passwords. */
export function toOpenapi30(document: object): Document {
  const made = readOpenapi30()
  const { securitySchemes, schemas } = (document as Document).components
  for (const [name, { properties = {} }] of Object.entries(made.components.schemas)) {
    for (const [property, schema] of Object.entries(properties)) {
      const minLength = schemas[name]?.properties?.[property]?.minLength
      if (minLength !== undefined) schema.minLength = minLength
    }
  }
  return { ...made, components: { ...made.components, securitySchemes } }
}
