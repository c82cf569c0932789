import { readFileSync } from 'node:fs'

interface Document {
  components: { securitySchemes: object }
}

/** The OpenAPI 3.0.3 document of a service with default settings, as `npm run generate:openapi` left it. */
export const readOpenapi30 = (): Document =>
  JSON.parse(readFileSync(new URL('../../openapi-3.0.json', import.meta.url), 'utf8')) as Document

/** The same of the service that has this 3.1 document: settings change nothing in it but the name of the cookie. */
export function openapi30Of(document: object): Document {
  const made = readOpenapi30()
  const { securitySchemes } = (document as Document).components
  return { ...made, components: { ...made.components, securitySchemes } }
}
